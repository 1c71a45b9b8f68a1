//! Page images for tests: two halves, dark above and light below, and a reader of them.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

/// A grey PNG, its upper half `dark`, the rest near white.
pub(super) fn png_of(width: u32, height: u32, dark: u8) -> Vec<u8> {
    let shade = |_, y| Luma([if y < height / 2 { dark } else { 250 }]);
    let mut file = Cursor::default();
    let image = GrayImage::from_fn(width, height, shade);
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    png_of(width, height, 10)
}

/// Size, and the first and the last pixel, of a PNG.
pub(super) fn look(file: &[u8]) -> ((u32, u32), u8, u8) {
    let image = image::load_from_memory_with_format(file, ImageFormat::Png).unwrap();
    let image = image.into_luma8();
    let (width, height) = image.dimensions();
    let at = |x, y| image.get_pixel(x, y)[0];
    ((width, height), at(0, 0), at(width - 1, height - 1))
}
