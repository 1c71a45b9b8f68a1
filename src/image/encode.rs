//! Pixels as a file: JPEG, or PNG where the image has few colours and PNG is the smaller one.

use std::collections::HashMap;

use jpeg_encoder::{ColorType, Encoder};

use super::pixels::Pixels;
use crate::error::Error;
use crate::llm::{LlmImage, MediaType};

/// Colours of a palette.
const PALETTE: usize = 256;

/// The smaller file.
pub(super) fn smallest(pixels: &Pixels, quality: u8) -> Result<LlmImage, Error> {
    let jpeg = jpeg(pixels, quality)?;
    let png = match palette(pixels) {
        Some(palette) => Some(png(pixels, &palette)?),
        None => None,
    };
    let (media_type, file) = match png {
        Some(png) if png.len() <= jpeg.len() => (MediaType::Png, png),
        _ => (MediaType::Jpeg, jpeg),
    };
    Ok(LlmImage {
        media_type,
        data: file.into(),
        width: pixels.width,
        height: pixels.height,
    })
}

fn failed(format: &str, error: impl ToString) -> Error {
    let what = format!("writing {format}: {}", error.to_string());
    Error::Internal { what }
}

fn jpeg(pixels: &Pixels, quality: u8) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    // Sides are at most 8192, which fits.
    let side = |side: u32| u16::try_from(side).map_err(|error| failed("JPEG", error));
    let (width, height) = (side(pixels.width)?, side(pixels.height)?);
    // Its optimized tables come with a scan for each channel, which with halved colours the decoder
    // of `decode`, and so maybe others, reads as grey.
    let encoder = Encoder::new(&mut file, quality);
    let done = encoder.encode(&pixels.bytes, width, height, ColorType::Rgb);
    done.map_err(|error| failed("JPEG", error))?;
    Ok(file)
}

/// Each colour's number, if they fit a palette.
fn palette(pixels: &Pixels) -> Option<HashMap<[u8; 3], u8>> {
    let mut colours = HashMap::new();
    let mut before = None;
    for pixel in pixels.bytes.chunks_exact(3) {
        let colour = [pixel[0], pixel[1], pixel[2]];
        // Most pixels of a page have their neighbour's colour.
        if before.replace(colour) == Some(colour) || colours.contains_key(&colour) {
            continue;
        }
        let next = u8::try_from(colours.len()).ok()?;
        colours.insert(colour, next);
    }
    debug_assert!(colours.len() <= PALETTE);
    Some(colours)
}

fn png(pixels: &Pixels, palette: &HashMap<[u8; 3], u8>) -> Result<Vec<u8>, Error> {
    let mut colours = vec![0; 3 * palette.len()];
    for (colour, &number) in palette {
        let at = 3 * usize::from(number);
        colours[at..at + 3].copy_from_slice(colour);
    }
    let numbers = pixels.bytes.chunks_exact(3).map(|pixel| {
        let number = palette.get(&[pixel[0], pixel[1], pixel[2]]);
        number.copied().unwrap_or_default()
    });
    let numbers: Vec<u8> = numbers.collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width, pixels.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(colours);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&numbers)?;
        writer.finish()
    });
    written.map_err(|error| failed("PNG", error))?;
    Ok(file)
}
