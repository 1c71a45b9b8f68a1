//! Page images for tests: two halves, dark above and light below, and a reader of them.

use std::io::Cursor;

/// A grey PNG, its upper half `dark`, the rest near white.
pub(super) fn png_of(width: u32, height: u32, dark: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    let rows = (0..height).map(|y| if y < height / 2 { dark } else { 250 });
    let pixels: Vec<u8> = rows.flat_map(|v| vec![v; width as usize]).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    file
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    png_of(width, height, 10)
}

/// Size, and the first and the last pixel, of a PNG with a palette.
pub(super) fn look(file: &[u8]) -> ((u32, u32), u8, u8) {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let info = reader.info();
    (
        (info.width, info.height),
        pixels[0],
        pixels[pixels.len() - 1],
    )
}
