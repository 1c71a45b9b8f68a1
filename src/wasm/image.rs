//! Page images for JavaScript, in a variant of its own: most pages never need it.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::{decode, encode, into_js};
use crate::error::Error;
use crate::image::{self, ImageOptions};
use crate::llm::LlmImage;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct PrepareOptions {
    longest_side: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Prepared<'a> {
    data: &'a serde_bytes::Bytes,
    media_type: &'static str,
    width: u32,
    height: u32,
}

/// A PNG, JPEG or WebP file as a language model sees it: `{data, mediaType, width, height}`.
///
/// # Errors
/// `invalid_argument` when it is none of these, broken, or over a limit.
#[wasm_bindgen(js_name = prepareImage)]
pub fn prepare_image(file: &[u8], options: JsValue) -> Result<JsValue, JsValue> {
    let image = || -> Result<LlmImage, Error> {
        let PrepareOptions { longest_side } = decode(options)?;
        let usual = ImageOptions::default();
        let options = ImageOptions {
            longest_side: longest_side.unwrap_or(usual.longest_side),
            ..usual
        };
        image::prepare(file, &options)
    };
    let image = image().map_err(into_js)?;
    encode(&Prepared {
        data: serde_bytes::Bytes::new(&image.data),
        media_type: image.media_type.name(),
        width: image.width,
        height: image.height,
    })
}
