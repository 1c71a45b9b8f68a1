//! Page images for language models that see: decoded within limits, turned upright, scaled, encoded.
//!
//! PNG, JPEG and WebP in, PNG or JPEG out, as pixels alone: a photograph's place and all other metadata
//! stay behind, and so does transparency (pages are on white). Colour profiles are not
//! applied. The codecs are those under the `image` crate, without it: it would change the features
//! that burn's own dependencies are built with, and its colour management is most of its size.

use crate::error::Error;
use crate::llm::LlmImage;

mod decode;
mod encode;
mod exif;
mod grid;
mod mark;
mod pixels;
mod scale;

#[cfg(test)]
mod tests;

pub use grid::{Cell, Grid, grid};
use pixels::Pixels;

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
    /// Most pixels of a file; it is decoded at three bytes each, and a progressive JPEG takes twice
    /// as much again meanwhile.
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
    let pixels = upright(file, options.longest_side, options)?;
    encode::smallest(&pixels, options.quality)
}

/// Decoded, scaled to `longest_side`, turned.
fn upright(file: &[u8], longest_side: u32, options: &ImageOptions) -> Result<Pixels, Error> {
    let (pixels, orientation) = decode::decode(file, options)?;
    // Scaled first: what is turned is smaller, and the longest side is the same either way.
    let scaled = match scale::fit(pixels.width, pixels.height, longest_side, longest_side) {
        (width, height) if (width, height) == (pixels.width, pixels.height) => pixels,
        (width, height) => scale::scale(&pixels, width, height),
    };
    Ok(scaled.turned(orientation))
}
