//! Files as pixels. Which format a file has, its first bytes say, not its name.
//!
//! The size in the header is held against the limits before anything is decoded, so a small file
//! that claims to be huge costs nothing.

use std::io::Cursor;

use ::image::metadata::Orientation;
use ::image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    guess_format,
};

use super::ImageOptions;
use crate::error::Error;

/// Most memory of a codec beside the pixels: a row, a colour profile, texts.
const BESIDE: u64 = 64 << 20;

/// Pixels as stored, on white, and how to turn them.
pub(super) fn decode(
    file: &[u8],
    options: &ImageOptions,
) -> Result<(RgbImage, Orientation), Error> {
    if file.len() > options.max_bytes {
        let expected = format!("at most {} bytes", options.max_bytes);
        return Err(Error::argument("image", expected, file.len()));
    }
    let (format, name) = match guess_format(file) {
        Ok(format @ ImageFormat::Png) => (format, "PNG"),
        Ok(format @ ImageFormat::Jpeg) => (format, "JPEG"),
        Ok(format @ ImageFormat::WebP) => (format, "WebP"),
        _ => {
            let found = format!("{} bytes of something else", file.len());
            return Err(Error::argument("image", "a PNG, JPEG or WebP file", found));
        }
    };
    let broken = |what: &str| Error::argument("image", format!("a whole {name} file"), what);
    let failed = |error: ImageError| broken(&error.to_string());
    if format == ImageFormat::Jpeg && !has_end(file) {
        return Err(broken("one that breaks off"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(BESIDE);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    check_size(decoder.dimensions(), options)?;
    // Damaged metadata are no reason to refuse a good image.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    Ok((on_white(image), orientation))
}

fn check_size((width, height): (u32, u32), options: &ImageOptions) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Error::argument("image", "some pixels", "none"));
    }
    if pixels > options.max_pixels {
        let expected = format!("at most {} pixels", options.max_pixels);
        let found = format!("{width} x {height}");
        return Err(Error::argument("image", expected, found));
    }
    Ok(())
}

/// Whether the end mark comes after the last start of a scan: not that of a thumbnail in the
/// metadata, which comes before. Within a scan no other mark looks like these two. The codec would
/// fill what is missing with grey.
fn has_end(file: &[u8]) -> bool {
    let last = |mark: u8| file.windows(2).rposition(|pair| pair == [0xff, mark]);
    last(0xda).is_none_or(|scan| last(0xd9).is_some_and(|end| end > scan))
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        // At most 255 by construction.
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        [r, g, b].map(|value| blend(value, alpha)).into()
    })
}
