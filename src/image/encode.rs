//! Pixels as a file: JPEG, or PNG where the image has few colours and PNG is the smaller one.

use std::collections::HashSet;

use ::image::codecs::jpeg::JpegEncoder;
use ::image::codecs::png::{CompressionType, FilterType, PngEncoder};
use ::image::{ImageError, RgbImage};

use crate::error::Error;
use crate::llm::{LlmImage, MediaType};

/// More colours than these are a photograph's.
const FEW: usize = 256;

/// The smaller file.
pub(super) fn smallest(image: &RgbImage, quality: u8) -> Result<LlmImage, Error> {
    let failed = |error: ImageError| Error::Internal {
        what: format!("writing an image: {error}"),
    };
    let (mut media_type, mut data) = (MediaType::Jpeg, Vec::new());
    let jpeg = JpegEncoder::new_with_quality(&mut data, quality);
    image.write_with_encoder(jpeg).map_err(failed)?;
    if has_few_colours(image) {
        let mut file = Vec::new();
        // What of a row repeats the one above, the compression finds by itself.
        let png =
            PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::NoFilter);
        image.write_with_encoder(png).map_err(failed)?;
        if file.len() <= data.len() {
            (media_type, data) = (MediaType::Png, file);
        }
    }
    Ok(LlmImage {
        media_type,
        data: data.into(),
        width: image.width(),
        height: image.height(),
    })
}

fn has_few_colours(image: &RgbImage) -> bool {
    let mut colours = HashSet::new();
    let mut before = None;
    image.pixels().all(|pixel| {
        // Most pixels of a page have their neighbour's colour.
        before.replace(pixel) == Some(pixel) || !colours.insert(pixel) || colours.len() <= FEW
    })
}
