//! Counts the instructions of a WASM binary by the proposal they come from, and compares that with what a variant forbids
//! and requires. It reads the code only: a `target_features` section says what was allowed, not what is there.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use wasmparser::{Operator, Parser, Payload};

use crate::config::Variant;

/// Instructions by proposal, as wasmparser names them.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

macro_rules! define_proposals {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*) )*) => {
        fn proposal(operator: &Operator<'_>) -> &'static str {
            match operator {
                $( Operator::$op { .. } => stringify!($proposal), )*
                _ => "unknown",
            }
        }

        const PROPOSALS: &[&str] = &[$(stringify!($proposal)),*];
    };
}
wasmparser::for_each_operator!(define_proposals);

/// The name wasmparser has for an instruction set: `simd128` is `simd`, `relaxed-simd` is `relaxed_simd`.
fn proposal_name(set: &str) -> String {
    if set == "simd128" {
        "simd".to_owned()
    } else {
        set.replace('-', "_")
    }
}

pub(crate) fn is_instruction_set(set: &str) -> bool {
    PROPOSALS.contains(&proposal_name(set).as_str())
}

/// Counts every instruction of every function.
pub(crate) fn count(wasm: &[u8]) -> Result<Counts> {
    let mut counts = Counts::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.context("not a WASM module")? {
            let mut operators = body
                .get_operators_reader()
                .context("a function without code")?;
            while !operators.eof() {
                let operator = operators
                    .read()
                    .context("an instruction that cannot be read")?;
                *counts.entry(proposal(&operator)).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

/// One line for each broken rule.
pub(crate) fn problems(variant: &Variant, counts: &Counts) -> Vec<String> {
    let found = |set: &str| {
        counts
            .get(proposal_name(set).as_str())
            .copied()
            .unwrap_or(0)
    };
    let forbidden = variant.forbid.iter().filter(|set| found(set) > 0).map(|set| {
        format!("expected no {set} instruction, found {}: a browser without it rejects the whole module; look for its target-feature in the dependencies", found(set))
    });
    let missing = variant.require.iter().filter(|set| found(set) == 0).map(|set| {
        format!("expected {set} instructions, found none: are the rustflags in wasm-pack.toml and the `simd` features of the dependencies set?")
    });
    forbidden.chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, Module, TypeSection};

    /// A module with one function that has these instructions between three vectors and an end.
    fn module(instructions: &[Instruction<'_>]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut functions = FunctionSection::new();
        functions.function(0);
        let mut function = Function::new([]);
        for instruction in instructions {
            function.instruction(instruction);
        }
        function.instruction(&Instruction::End);
        let mut code = CodeSection::new();
        code.function(&function);
        Module::new()
            .section(&types)
            .section(&functions)
            .section(&code)
            .clone()
            .finish()
    }

    fn variant() -> Variant {
        Variant {
            features: vec![],
            rustflags: vec![],
            crate_rustflags: vec![],
            profile: "wasm".into(),
            wasm_opt: vec![],
            budget_raw_bytes: 0,
            budget_gzip_bytes: 0,
            forbid: vec!["relaxed-simd".into()],
            require: vec!["simd128".into()],
        }
    }

    #[test]
    fn a_relaxed_simd_instruction_is_found_and_named() {
        let wasm = module(&[
            Instruction::V128Const(1),
            Instruction::V128Const(2),
            Instruction::V128Const(3),
            Instruction::F32x4RelaxedMadd,
            Instruction::Drop,
        ]);
        let counts = count(&wasm).expect("a readable module");
        assert_eq!((counts["relaxed_simd"], counts["simd"]), (1, 3));
        let problems = problems(&variant(), &counts);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with("expected no relaxed-simd instruction, found 1"),
            "{problems:?}"
        );
    }

    #[test]
    fn plain_simd_passes_and_its_absence_does_not() {
        let with = count(&module(&[Instruction::V128Const(1), Instruction::Drop]))
            .expect("a readable module");
        assert!(problems(&variant(), &with).is_empty());
        let without = count(&module(&[Instruction::I32Const(1), Instruction::Drop]))
            .expect("a readable module");
        assert!(
            problems(&variant(), &without)[0]
                .starts_with("expected simd128 instructions, found none")
        );
    }

    #[test]
    fn instruction_sets_are_known_by_name() {
        assert!(
            is_instruction_set("relaxed-simd")
                && is_instruction_set("simd128")
                && is_instruction_set("threads")
        );
        assert!(!is_instruction_set("relaxed-smid"));
    }

    #[test]
    fn something_else_than_wasm_is_an_error() {
        assert!(count(b"<!doctype html>").is_err());
    }
}
