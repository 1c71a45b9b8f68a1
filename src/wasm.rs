//! The JavaScript boundary: decode, call, encode; no logic. Only it imports wasm_bindgen.
//!
//! `engine` is what the variants `cpu` and `gpu` export, `strategy`, `search` and `negatives` what `logic` does, `image` what
//! `images` does.
//! Errors cross as JavaScript `Error`s with a stable `code`. A panic traps and poisons the instance:
//! start a new one.

#![expect(unreachable_pub, reason = "wasm_bindgen exports what is public here")]

use js_sys::Reflect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::error::Error;

#[cfg(feature = "network")]
mod engine;
#[cfg(feature = "logic")]
mod host;
#[cfg(feature = "images")]
mod image;
#[cfg(feature = "logic")]
mod negatives;
#[cfg(feature = "logic")]
mod search;
#[cfg(feature = "logic")]
mod strategy;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Version of this library.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}

/// Options of a call; what is undefined or null is the default.
fn decode<T: Default + DeserializeOwned>(options: JsValue) -> Result<T, Error> {
    if options.is_undefined() || options.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(options)
        .map_err(|error| Error::argument("options", "an object of known options", error))
}

/// An image as JavaScript has it.
#[cfg(any(feature = "images", feature = "logic"))]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageFile<'a> {
    data: &'a serde_bytes::Bytes,
    media_type: &'static str,
    width: u32,
    height: u32,
}

#[cfg(any(feature = "images", feature = "logic"))]
impl<'a> ImageFile<'a> {
    fn new(image: &'a crate::llm::LlmImage) -> Self {
        Self {
            data: serde_bytes::Bytes::new(&image.data),
            media_type: image.media_type.name(),
            width: image.width,
            height: image.height,
        }
    }
}

fn encode(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    // A page's image as numbers in a list would be ten times its size.
    let plain = plain.serialize_bytes_as_arrays(false);
    value.serialize(&plain).map_err(|error| {
        into_js(Error::Internal {
            what: error.to_string(),
        })
    })
}

fn into_js(error: Error) -> JsValue {
    let object = js_sys::Error::new(&error.to_string());
    // A fresh object takes a new property.
    let _ = Reflect::set(&object, &"code".into(), &error.code().into());
    object.into()
}
