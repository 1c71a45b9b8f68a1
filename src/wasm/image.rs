//! Page images for JavaScript, in a variant of its own: most pages never need it.

use js_sys::Uint8Array;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::{ImageFile, decode, encode, into_js};
use crate::error::Error;
use crate::image::{self, Grid, ImageOptions};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct PrepareOptions {
    longest_side: Option<u32>,
}

impl PrepareOptions {
    fn read(options: JsValue) -> Result<ImageOptions, Error> {
        let Self { longest_side } = decode(options)?;
        let usual = ImageOptions::default();
        Ok(ImageOptions {
            longest_side: longest_side.unwrap_or(usual.longest_side),
            ..usual
        })
    }
}

/// A PNG, JPEG or WebP file as a language model sees it: `{data, mediaType, width, height}`.
///
/// # Errors
/// `invalid_argument` when it is none of these, broken, or over a limit.
#[wasm_bindgen(js_name = prepareImage)]
pub fn prepare_image(file: &[u8], options: JsValue) -> Result<JsValue, JsValue> {
    let image = PrepareOptions::read(options).and_then(|options| image::prepare(file, &options));
    encode(&ImageFile::new(&image.map_err(into_js)?))
}

/// Pages, as files, in one image, each under its number from 1.
///
/// # Errors
/// `invalid_argument` for no page, more than 100, or one that cannot be read, named by its number.
#[wasm_bindgen(js_name = gridImage)]
pub fn grid_image(files: Vec<Uint8Array>, options: JsValue) -> Result<JsValue, JsValue> {
    let files: Vec<Vec<u8>> = files.iter().map(Uint8Array::to_vec).collect();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let grid = PrepareOptions::read(options).and_then(|options| image::grid(&files, &options));
    let Grid { image, .. } = grid.map_err(into_js)?;
    encode(&ImageFile::new(&image))
}
