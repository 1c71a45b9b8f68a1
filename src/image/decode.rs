//! Files as pixels. Which format a file has, its first bytes say, not its name.
//!
//! The size in the header is held against the limits before anything is decoded, so a small file
//! that claims to be huge costs nothing. A file that ends early is refused, also where the codec
//! would fill the rest with grey.

use std::io::Cursor;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::ImageOptions;
use super::exif::Orientation;
use super::pixels::Pixels;
use crate::error::Error;

/// Largest decoder's own memory, in bytes a pixel of the limit: 16 bits, four channels.
const OWN: u64 = 8;

/// Pixels as stored, and how to turn them.
pub(super) fn decode(file: &[u8], options: &ImageOptions) -> Result<(Pixels, Orientation), Error> {
    if file.len() > options.max_bytes {
        let expected = format!("at most {} bytes", options.max_bytes);
        return Err(Error::argument("image", expected, file.len()));
    }
    match file {
        [0x89, b'P', b'N', b'G', ..] => png(file, options),
        [0xff, 0xd8, 0xff, ..] => jpeg(file, options),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp(file, options),
        _ => {
            let found = format!("{} bytes of something else", file.len());
            Err(Error::argument("image", "a PNG, JPEG or WebP file", found))
        }
    }
}

fn broken(format: &str, what: impl ToString) -> Error {
    let expected = format!("a whole {format} file");
    Error::argument("image", expected, what)
}

fn check_size(width: u32, height: u32, options: &ImageOptions) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(Error::argument("image", "some pixels", "none"));
    }
    if pixels > options.max_pixels {
        let expected = format!("at most {} pixels", options.max_pixels);
        return Err(Error::argument(
            "image",
            expected,
            format!("{width} x {height}"),
        ));
    }
    Ok(())
}

fn png(file: &[u8], options: &ImageOptions) -> Result<(Pixels, Orientation), Error> {
    let failed = |error: png::DecodingError| broken("PNG", error);
    let memory = options.max_pixels.saturating_mul(OWN);
    let limits = png::Limits {
        bytes: usize::try_from(memory).unwrap_or(usize::MAX),
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    // Colour profiles and texts are compressed on their own, and not needed.
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_ignore_text_chunk(true);
    let header = decoder.read_header_info().map_err(failed)?;
    let (width, height) = (header.width, header.height);
    check_size(width, height, options)?;
    let mut reader = decoder.read_info().map_err(failed)?;
    let (colour, _) = reader.output_color_type();
    let channels = colour.samples();
    let mut bytes = vec![0; width as usize * height as usize * channels];
    reader.next_frame(&mut bytes).map_err(failed)?;
    // What stands after the pixels: the orientation may, and a file that breaks off lacks its end.
    reader.finish().map_err(failed)?;
    let orientation = Orientation::of(reader.info().exif_metadata.as_deref());
    let pixels = Pixels {
        width,
        height,
        bytes: rgb(bytes, channels),
    };
    Ok((pixels, orientation))
}

fn jpeg(file: &[u8], options: &ImageOptions) -> Result<(Pixels, Orientation), Error> {
    if !has_end(file) {
        return Err(broken("JPEG", "one that breaks off"));
    }
    let failed = |error: zune_jpeg::errors::DecodeErrors| broken("JPEG", error);
    let asked = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), asked);
    decoder.decode_headers().map_err(failed)?;
    let Some(info) = decoder.info() else {
        return Err(broken("JPEG", "one without a size"));
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    check_size(width, height, options)?;
    let bytes = decoder.decode().map_err(failed)?;
    if bytes.len() != 3 * width as usize * height as usize {
        return Err(broken("JPEG", format!("{} bytes of pixels", bytes.len())));
    }
    let orientation = Orientation::of(decoder.exif().map(Vec::as_slice));
    let pixels = Pixels {
        width,
        height,
        bytes,
    };
    Ok((pixels, orientation))
}

/// Whether the end mark comes after the last start of a scan: not that of a thumbnail in the
/// metadata, which comes before. Within a scan no other mark looks like these two.
fn has_end(file: &[u8]) -> bool {
    let last = |mark: u8| file.windows(2).rposition(|pair| pair == [0xff, mark]);
    last(0xda).is_none_or(|scan| last(0xd9).is_some_and(|end| end > scan))
}

fn webp(file: &[u8], options: &ImageOptions) -> Result<(Pixels, Orientation), Error> {
    let failed = |error: image_webp::DecodingError| broken("WebP", error);
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, options)?;
    let memory = options.max_pixels.saturating_mul(OWN);
    decoder.set_memory_limit(usize::try_from(memory).unwrap_or(usize::MAX));
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut bytes = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut bytes).map_err(failed)?;
    let exif = decoder.exif_metadata().ok().flatten();
    let pixels = Pixels {
        width,
        height,
        bytes: rgb(bytes, channels),
    };
    Ok((pixels, Orientation::of(exif.as_deref())))
}

/// One (grey), two (grey, alpha), three or four (alpha) channels as three, on white.
fn rgb(bytes: Vec<u8>, channels: usize) -> Vec<u8> {
    if channels == 3 {
        return bytes;
    }
    let on_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        // At most 255 by construction.
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let mut out = Vec::with_capacity(bytes.len() / channels * 3);
    for pixel in bytes.chunks_exact(channels) {
        out.extend(match *pixel {
            [grey] => [grey; 3],
            [grey, alpha] => [on_white(grey, alpha); 3],
            [r, g, b, alpha] => [r, g, b].map(|value| on_white(value, alpha)),
            _ => [0; 3],
        });
    }
    out
}
