//! Which crates a variant's bytes come from: function bodies by the crate that their name begins with, and the other
//! sections. Code that was made for one crate's types from another's generic function counts for the latter.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

use crate::budgets::grouped;

/// What is not code, and code without a name.
const DATA: &str = "(data)";
const OTHER: &str = "(other sections)";
const NAMELESS: &str = "(without a name)";

/// Bytes by crate or section; together all of the module but its names.
pub(crate) fn sizes(wasm: &[u8]) -> Result<BTreeMap<String, u64>> {
    let mut imported = 0_u32;
    let mut bodies = Vec::new();
    let mut names = BTreeMap::new();
    let (mut data, mut without_names) = (0_u64, wasm.len() as u64);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.context("not a WASM module")? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len() as u64),
            Payload::DataSection(section) => data = section.range().len() as u64,
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(sections) = section.as_known() {
                    without_names -= section.range().len() as u64;
                    for part in sections {
                        if let Name::Function(map) = part? {
                            for naming in map {
                                let naming = naming?;
                                names.insert(naming.index, crate_of(naming.name).to_owned());
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut sizes = BTreeMap::from([(DATA.to_owned(), data)]);
    for (index, bytes) in (imported..).zip(&bodies) {
        let name = names.get(&index).map_or(NAMELESS, String::as_str);
        *sizes.entry(name.to_owned()).or_default() += bytes;
    }
    let known: u64 = sizes.values().sum();
    sizes.insert(OTHER.to_owned(), without_names - known);
    Ok(sizes)
}

/// The crate of a demangled name: what comes before the first `::`, without the marks of types.
fn crate_of(name: &str) -> &str {
    let path = name.trim_start_matches(['<', '&', '*', '[', '(', ' ']);
    let path = ["mut ", "const ", "dyn "]
        .iter()
        .fold(path, |path, mark| path.trim_start_matches(mark));
    match path.split_once("::") {
        Some((first, _)) if first.chars().all(|c| c.is_alphanumeric() || c == '_') => first,
        _ => NAMELESS,
    }
}

/// Largest first; crates below a hundredth of all are one line.
pub(crate) fn table(variant: &str, sizes: &BTreeMap<String, u64>) -> String {
    let total: u64 = sizes.values().sum();
    let mut rows: Vec<(&str, u64)> = sizes.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    rows.sort_by_key(|&(name, bytes)| (std::cmp::Reverse(bytes), name));
    let (large, small): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, n)| n * 100 >= total);
    let rest = format!("({} smaller ones)", small.len());
    let rest = (rest.as_str(), small.iter().map(|(_, bytes)| bytes).sum());
    let mut text = format!("| {variant} | bytes | share |\n|---|---:|---:|\n");
    for (name, bytes) in large.into_iter().chain([rest, ("all", total)]) {
        let share = 100.0 * bytes as f64 / total as f64;
        text += &format!("| {name} | {} | {share:.1} % |\n", grouped(bytes));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, Function, FunctionSection, Instruction, Module, NameMap, NameSection,
        TypeSection,
    };

    #[test]
    fn every_byte_but_the_names_is_counted_once_and_code_goes_to_its_crate() -> Result<()> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code, mut names) =
            (FunctionSection::new(), CodeSection::new(), NameMap::new());
        for (index, (name, nops)) in [("one::f", 5), ("<one::T as two::U>::g", 3), ("strange", 0)]
            .into_iter()
            .enumerate()
        {
            functions.function(0);
            let mut function = Function::new([]);
            for _ in 0..nops {
                function.instruction(&Instruction::Nop);
            }
            function.instruction(&Instruction::End);
            code.function(&function);
            names.append(u32::try_from(index)?, name);
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&code);
        let bare = module.as_slice().len() as u64;
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);

        let sizes = sizes(&module.finish())?;
        // A body is its instructions, their end and a count of locals.
        assert_eq!((sizes["one"], sizes[NAMELESS]), (7 + 5, 2));
        // The custom section's own id and length stay: they are not in its range.
        assert!((bare..bare + 8).contains(&sizes.values().sum()));
        assert!(table("cpu", &sizes).contains("| one | 12 |"));
        Ok(())
    }

    #[test]
    fn a_crate_is_found_behind_the_marks_of_types() {
        for (name, found) in [
            ("burn_flex::ops::add", "burn_flex"),
            (
                "<&mut alloc::vec::Vec<T> as core::fmt::Debug>::fmt",
                "alloc",
            ),
            ("<dyn core::any::Any>::is", "core"),
            ("__wbindgen_malloc", NAMELESS),
            ("{closure#0}::x", NAMELESS),
        ] {
            assert_eq!(crate_of(name), found, "{name}");
        }
    }
}
