//! wasm-pack.toml as types: the WASM variants with their features, flags, budgets and instruction sets.
//! An unknown key is an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) variant: BTreeMap<String, Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    pub(crate) features: Vec<String>,
    /// One compiler argument an entry.
    pub(crate) rustflags: Vec<String>,
    /// Further ones for the root crate alone: its dependencies are those of the other variants.
    #[serde(default)]
    pub(crate) crate_rustflags: Vec<String>,
    /// Cargo profile.
    pub(crate) profile: String,
    /// Arguments of wasm-opt; none: it is not run.
    pub(crate) wasm_opt: Vec<String>,
    pub(crate) budget_raw_bytes: u64,
    pub(crate) budget_gzip_bytes: u64,
    /// Instruction sets the binary must not contain.
    pub(crate) forbid: Vec<String>,
    /// Instruction sets the binary must contain.
    pub(crate) require: Vec<String>,
}

impl Config {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join("wasm-pack.toml"))
            .context("cannot read wasm-pack.toml")?;
        let config: Self = toml::from_str(&text).context("wasm-pack.toml")?;
        for (name, variant) in &config.variant {
            for set in variant.forbid.iter().chain(&variant.require) {
                if !crate::opcodes::is_instruction_set(set) {
                    bail!(
                        "wasm-pack.toml: variant {name} names the unknown instruction set \"{set}\""
                    );
                }
            }
        }
        Ok(config)
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Variant> {
        let known: Vec<_> = self.variant.keys().map(String::as_str).collect();
        self.variant.get(name).with_context(|| {
            format!(
                "wasm-pack.toml has no variant \"{name}\"; it has {}",
                known.join(", ")
            )
        })
    }
}
