//! Page images for language models that see: decoded within limits, turned upright, scaled, encoded.
//!
//! PNG, JPEG and WebP in, PNG or JPEG out, as pixels alone: a photograph's place and all other metadata
//! stay behind, and so does transparency (pages are on white). Colour profiles are not applied.

use ::image::imageops::{FilterType, resize, thumbnail};
use ::image::{DynamicImage, RgbImage};

use crate::error::Error;
use crate::llm::LlmImage;

mod decode;
mod encode;
mod grid;
mod mark;

#[cfg(test)]
mod tests;

pub use grid::{Cell, Grid, grid};

/// What an image is made into, and how large a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageOptions {
    /// Longest side of the result in pixels, 16..=8192; smaller images stay as they are. The
    /// default, 1568, is what hosted models see without scaling further.
    pub longest_side: u32,
    /// Quality of a JPEG, 1..=100.
    pub quality: u8,
    /// Largest file in bytes.
    pub max_bytes: usize,
    /// Most pixels of a file; it is decoded at three to eight bytes each, and a progressive JPEG takes
    /// six more meanwhile.
    pub max_pixels: u64,
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            longest_side: 1568,
            quality: 85,
            max_bytes: 32 << 20,
            max_pixels: 50_000_000,
        }
    }
}

impl ImageOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// `invalid_argument` that names the first one out of range.
    pub fn check(&self) -> Result<(), Error> {
        let side = self.longest_side;
        if !(16..=8192).contains(&side) {
            return Err(Error::argument("longestSide", "16 to 8192", side));
        }
        if !(1..=100).contains(&self.quality) {
            return Err(Error::argument("quality", "1 to 100", self.quality));
        }
        Ok(())
    }
}

/// A file as an image for a language model.
///
/// Smaller of PNG and JPEG where the image has at most 256 colours, else JPEG: text and drawings
/// stay sharp where that costs nothing.
///
/// # Errors
/// `invalid_argument` when the file is none of PNG, JPEG and WebP, is broken or cut off, or is over
/// a limit, which is found out before its pixels get memory.
pub fn prepare(file: &[u8], options: &ImageOptions) -> Result<LlmImage, Error> {
    options.check()?;
    let image = upright(file, options.longest_side, options)?;
    encode::smallest(&image, options.quality)
}

/// Decoded, scaled to `longest_side`, turned.
fn upright(file: &[u8], longest_side: u32, options: &ImageOptions) -> Result<RgbImage, Error> {
    let (image, orientation) = decode::decode(file, options)?;
    // Scaled first: what is turned is smaller, and the longest side is the same either way.
    let mut scaled = DynamicImage::ImageRgb8(fitted(image, longest_side, longest_side));
    scaled.apply_orientation(orientation);
    Ok(scaled.into_rgb8())
}

/// Within a box, sides in proportion, each at least 1; never larger.
fn fitted(image: RgbImage, most_width: u32, most_height: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let ratio =
        (f64::from(most_width) / f64::from(width)).min(f64::from(most_height) / f64::from(height));
    if ratio >= 1.0 {
        return image;
    }
    // Within 1..=side: the ratio is below 1.
    let side = |side: u32| (f64::from(side) * ratio).round().max(1.0) as u32;
    scaled(image, side(width), side(height))
}

/// At a smaller size: by means of blocks to twice that, which takes no memory, then by Lanczos'
/// filter, whose numbers take 16 bytes a pixel. Thin lines of a scanned page turn grey, they do not vanish.
fn scaled(image: RgbImage, width: u32, height: u32) -> RgbImage {
    let twice = (image.width().min(2 * width), image.height().min(2 * height));
    let image = match image.dimensions() == twice {
        true => image,
        false => thumbnail(&image, twice.0, twice.1),
    };
    resize(&image, width, height, FilterType::Lanczos3)
}
