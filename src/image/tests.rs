//! Files made here, read back: orientation, limits, damage, scaling, encoding, the grid.

use jpeg_encoder::{ColorType, Encoder};

use super::exif::tests::block;
use super::*;
use crate::llm::MediaType;

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 30];
const BLUE: [u8; 3] = [30, 30, 220];
const GREY: [u8; 3] = [120, 120, 120];

/// A quarter each: red and green above, blue and grey below.
fn quarters(width: u32, height: u32) -> Pixels {
    let mut pixels = Pixels::white(width, height);
    let (w, h) = (width / 2, height / 2);
    pixels.fill([0, 0, w, h], RED);
    pixels.fill([w, 0, width - w, h], GREEN);
    pixels.fill([0, h, w, height - h], BLUE);
    pixels.fill([w, h, width - w, height - h], GREY);
    pixels
}

fn png_file(pixels: &Pixels, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut info = png::Info::with_size(pixels.width, pixels.height);
    info.color_type = png::ColorType::Rgb;
    info.bit_depth = png::BitDepth::Eight;
    info.exif_metadata = exif.map(Into::into);
    let mut file = Vec::new();
    let encoder = png::Encoder::with_info(&mut file, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels.bytes).unwrap();
    writer.finish().unwrap();
    file
}

fn jpeg_file(pixels: &Pixels, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 95);
    if let Some(exif) = exif {
        encoder.add_exif_metadata(&exif).unwrap();
    }
    let side = |side: u32| u16::try_from(side).unwrap();
    let (width, height) = (side(pixels.width), side(pixels.height));
    encoder
        .encode(&pixels.bytes, width, height, ColorType::Rgb)
        .unwrap();
    file
}

fn webp_file(pixels: &Pixels, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut file);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif);
    }
    encoder
        .encode(
            &pixels.bytes,
            pixels.width,
            pixels.height,
            image_webp::ColorType::Rgb8,
        )
        .unwrap();
    file
}

fn read(file: &[u8]) -> Pixels {
    upright(file, 8192, &ImageOptions::default()).unwrap()
}

/// Whether a pixel is this colour, up to what JPEG loses.
fn is(found: [u8; 3], expected: [u8; 3]) -> bool {
    found.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) < 25)
}

/// Colours in the middle of the quarters: upper left, upper right, lower left, lower right.
fn corners(pixels: &Pixels) -> [[u8; 3]; 4] {
    let (x, y) = (pixels.width / 4, pixels.height / 4);
    let (right, low) = (pixels.width - 1 - x, pixels.height - 1 - y);
    [(x, y), (right, y), (x, low), (right, low)].map(|(x, y)| pixels.at(x, y))
}

#[test]
fn all_eight_orientations_come_out_upright_in_all_formats() {
    // Where the four quarters as stored belong, by the definition of the tag.
    let expected = [
        [RED, GREEN, BLUE, GREY],
        [GREEN, RED, GREY, BLUE],
        [GREY, BLUE, GREEN, RED],
        [BLUE, GREY, RED, GREEN],
        [RED, BLUE, GREEN, GREY],
        [BLUE, RED, GREY, GREEN],
        [GREY, GREEN, BLUE, RED],
        [GREEN, GREY, RED, BLUE],
    ];
    let stored = quarters(48, 32);
    for (value, expected) in (1..=8).zip(expected) {
        let exif = || Some(block(value, value % 2 == 0));
        for file in [
            png_file(&stored, exif()),
            jpeg_file(&stored, exif()),
            webp_file(&stored, exif()),
        ] {
            let pixels = read(&file);
            let size = if value < 5 { (48, 32) } else { (32, 48) };
            assert_eq!((pixels.width, pixels.height), size, "{value}");
            for (found, expected) in corners(&pixels).into_iter().zip(expected) {
                assert!(is(found, expected), "{value}: {found:?}, not {expected:?}");
            }
        }
    }
}

#[test]
fn a_turned_image_is_scaled_by_its_longest_side() {
    let file = png_file(&quarters(400, 100), Some(block(6, true)));
    let options = ImageOptions {
        longest_side: 200,
        ..ImageOptions::default()
    };
    let image = prepare(&file, &options).unwrap();
    assert_eq!((image.width, image.height), (50, 200));
    let pixels = read(&image.data);
    assert!(is(corners(&pixels)[0], BLUE) && is(corners(&pixels)[1], RED));
}

#[test]
fn too_many_pixels_are_refused_from_the_header_alone() {
    // 60000 x 60000 pixels are claimed; none are there.
    let mut png = png_file(&quarters(4, 4), None);
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut jpeg = jpeg_file(&quarters(16, 16), None);
    let frame = jpeg.windows(2).position(|p| p == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    let mut webp = webp_file(&quarters(4, 4), None);
    // 14 bits each, less one, after the chunk's head and its mark: 16000 x 16000.
    let sides = 15_999_u32 | 15_999 << 14;
    webp[21..25].copy_from_slice(&sides.to_le_bytes());
    for (name, file) in [("PNG", png), ("JPEG", jpeg), ("WebP", webp)] {
        let error = prepare(&file, &ImageOptions::default()).unwrap_err();
        assert_eq!(error.code(), "invalid_argument", "{name}");
        let text = error.to_string();
        assert!(text.contains("at most 50000000 pixels"), "{name}: {text}");
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn a_file_over_its_limits_in_bytes_or_pixels_is_refused_and_one_at_them_is_not() {
    let file = png_file(&quarters(20, 10), None);
    let at = ImageOptions {
        max_bytes: file.len(),
        max_pixels: 200,
        ..ImageOptions::default()
    };
    assert!(prepare(&file, &at).is_ok());
    for over in [
        ImageOptions {
            max_bytes: file.len() - 1,
            ..at
        },
        ImageOptions {
            max_pixels: 199,
            ..at
        },
    ] {
        let error = prepare(&file, &over).unwrap_err();
        assert_eq!(error.code(), "invalid_argument", "{error}");
    }
}

#[test]
fn a_file_that_breaks_off_anywhere_is_refused() {
    let page = quarters(40, 40);
    let thumbnail = jpeg_file(&quarters(8, 8), None);
    let exif = [block(1, true), thumbnail].concat();
    for (name, file) in [
        ("PNG", png_file(&page, None)),
        ("JPEG", jpeg_file(&page, Some(exif))),
        ("WebP", webp_file(&page, None)),
    ] {
        assert!(prepare(&file, &ImageOptions::default()).is_ok(), "{name}");
        for end in 0..file.len() - 1 {
            let cut = prepare(&file[..end], &ImageOptions::default());
            let code = cut.as_ref().map_err(Error::code);
            assert_eq!(code, Err("invalid_argument"), "{name} at {end}: {cut:?}");
        }
    }
}

#[test]
fn what_is_no_image_is_refused_by_its_bytes() {
    for bytes in [&b""[..], b"GIF89a", b"RIFF1234WAVE", b"<svg/>", b"%PDF-1.4"] {
        let error = prepare(bytes, &ImageOptions::default()).unwrap_err();
        assert!(error.to_string().contains("PNG, JPEG or WebP"), "{error}");
    }
}

#[test]
fn random_damage_never_panics_and_what_still_decodes_keeps_its_size() {
    let page = quarters(24, 16);
    let options = ImageOptions {
        max_pixels: 10_000,
        ..ImageOptions::default()
    };
    let mut state = 7_u64;
    let mut next = move |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % n
    };
    for file in [
        png_file(&page, Some(block(6, true))),
        jpeg_file(&page, Some(block(6, true))),
        webp_file(&page, Some(block(6, true))),
    ] {
        for _ in 0..300 {
            let mut bad = file.clone();
            for _ in 0..=next(3) {
                let at = next(bad.len());
                bad[at] = u8::try_from(next(256)).unwrap();
            }
            if let Ok(image) = prepare(&bad, &options) {
                assert!(u64::from(image.width) * u64::from(image.height) <= 10_000);
            }
        }
    }
}

#[test]
fn one_pixel_and_extreme_shapes_survive() {
    let options = ImageOptions {
        longest_side: 100,
        ..ImageOptions::default()
    };
    for (from, to) in [
        ((1, 1), (1, 1)),
        ((20_000, 1), (100, 1)),
        ((1, 20_000), (1, 100)),
        ((3_000, 7), (100, 1)),
        ((101, 100), (100, 99)),
    ] {
        let mut page = Pixels::white(from.0, from.1);
        page.fill([0, 0, from.0, from.1], GREEN);
        let image = prepare(&png_file(&page, None), &options).unwrap();
        assert_eq!((image.width, image.height), to);
        let pixels = read(&image.data);
        assert_eq!(pixels.at(to.0 - 1, to.1 - 1), GREEN, "{from:?}");
    }
}

#[test]
fn a_plain_colour_stays_that_colour_at_every_size() {
    // The last has so many weights for a pixel that each is rounded to almost nothing.
    for (from, to) in [(7, 3), (100, 99), (100, 1), (640, 13), (5, 5), (30_000, 1)] {
        let height = from.min(700);
        let mut page = Pixels::white(from, height);
        page.fill([0, 0, from, height], [3, 128, 251]);
        let small = scale::scale(&page, to, 2);
        assert_eq!((small.width, small.height), (to, 2));
        let same = |pixel: &[u8]| pixel == [3, 128, 251];
        assert!(small.bytes.chunks_exact(3).all(same), "{from} to {to}");
    }
}

#[test]
fn a_smaller_image_keeps_its_parts_in_place_and_its_brightness() {
    let small = scale::scale(&quarters(300, 200), 30, 20);
    assert_eq!(corners(&small), [RED, GREEN, BLUE, GREY]);
    // Lines of one pixel, every fourth: a quarter of the ink, which skipping pixels would lose.
    let mut lines = Pixels::white(400, 400);
    for x in (0..400).step_by(4) {
        lines.fill([x, 0, 1, 400], [0; 3]);
    }
    let small = scale::scale(&lines, 50, 50);
    let mean = small.bytes.iter().map(|&b| f64::from(b)).sum::<f64>() / small.bytes.len() as f64;
    assert!((mean - 0.75 * 255.0).abs() < 2.0, "{mean}");
    let middle = small.at(25, 25)[0];
    assert!((185..=198).contains(&middle), "{middle}");
}

#[test]
fn few_colours_become_a_png_without_loss_and_a_photograph_a_jpeg() {
    let page = quarters(200, 100);
    let image = prepare(&png_file(&page, None), &ImageOptions::default()).unwrap();
    assert_eq!(image.media_type, MediaType::Png);
    assert_eq!(read(&image.data), page);

    // A slope with grain, as cameras give.
    let mut photograph = Pixels::white(128, 128);
    for y in 0..128_u32 {
        for x in 0..128_u32 {
            let hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
            let grain = (hash.wrapping_mul(0xc2b2_ae3d) >> 24) % 11;
            let at = |n: u32| u8::try_from(n + grain).unwrap();
            let colour = [at(x), at(y), at((x + y) / 2)];
            photograph.fill([x, y, 1, 1], colour);
        }
    }
    let file = png_file(&photograph, None);
    let image = prepare(&file, &ImageOptions::default()).unwrap();
    assert_eq!(image.media_type, MediaType::Jpeg);
    assert!(image.data.starts_with(&[0xff, 0xd8, 0xff]));
    assert!(image.data.len() < file.len());
    let back = read(&image.data);
    let near = |(&a, &b): (&u8, &u8)| f64::from(a.abs_diff(b));
    let loss = back
        .bytes
        .iter()
        .zip(&photograph.bytes)
        .map(near)
        .sum::<f64>();
    let loss = loss / back.bytes.len() as f64;
    assert!(loss < 4.0, "{loss}");
    let worse = ImageOptions {
        quality: 30,
        ..ImageOptions::default()
    };
    assert!(prepare(&file, &worse).unwrap().data.len() < image.data.len());
}

#[test]
fn metadata_stays_behind() {
    let secret = [block(1, true), b"52.5N 13.4E".to_vec()].concat();
    let page = quarters(64, 64);
    for file in [
        png_file(&page, Some(secret.clone())),
        jpeg_file(&page, Some(secret.clone())),
        webp_file(&page, Some(secret.clone())),
    ] {
        let image = prepare(&file, &ImageOptions::default()).unwrap();
        let holds = |bytes: &[u8]| bytes.windows(5).any(|window| window == b"52.5N");
        assert!(holds(&file) && !holds(&image.data));
    }
}

#[test]
fn transparency_becomes_white_and_grey_and_sixteen_bits_become_three_bytes() {
    let write = |colour: png::ColorType, depth: png::BitDepth, data: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 1);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(data).unwrap();
        writer.finish().unwrap();
        read(&file).bytes
    };
    use png::BitDepth::{Eight, Sixteen};
    use png::ColorType::{Grayscale, GrayscaleAlpha, Rgba};
    let clear = write(Rgba, Eight, &[9, 9, 9, 0, 200, 100, 0, 255]);
    assert_eq!(clear, [255, 255, 255, 200, 100, 0]);
    let half = write(GrayscaleAlpha, Eight, &[0, 128, 7, 255]);
    assert_eq!(half, [127, 127, 127, 7, 7, 7]);
    let grey = write(Grayscale, Sixteen, &[0x12, 0x34, 0xff, 0xff]);
    assert_eq!(grey, [0x12, 0x12, 0x12, 255, 255, 255]);
}

#[test]
fn options_out_of_range_are_named() {
    let file = png_file(&quarters(4, 4), None);
    for (longest_side, quality, name) in [
        (15, 85, "longestSide"),
        (8193, 85, "longestSide"),
        (1568, 0, "quality"),
        (1568, 101, "quality"),
    ] {
        let options = ImageOptions {
            longest_side,
            quality,
            ..ImageOptions::default()
        };
        let error = prepare(&file, &options).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn every_page_is_in_its_cell_of_the_grid_under_its_number() {
    let options = ImageOptions {
        longest_side: 600,
        ..ImageOptions::default()
    };
    for n in [1, 2, 3, 4, 5, 9, 10, 12, 20] {
        // Each page a colour of its own, some upright, some wide, some turned by their metadata.
        let colour = |i: usize| {
            let step = |by: usize| u8::try_from(30 + (i * by) % 200).unwrap();
            [step(97), step(61), step(29)]
        };
        let file = |i: usize| {
            let (width, height) = [(60, 90), (90, 60), (50, 50)][i % 3];
            let mut page = Pixels::white(width, height);
            page.fill([0, 0, width, height], colour(i));
            let orientation = if i.is_multiple_of(2) { 1 } else { 6 };
            png_file(&page, Some(block(orientation, true)))
        };
        let files: Vec<Vec<u8>> = (0..n).map(file).collect();
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let Grid { image, cells } = grid(&files, &options).unwrap();
        assert_eq!(cells.len(), n);
        assert!(image.width.max(image.height) <= 600, "{image:?}");
        let all = read(&image.data);
        for (i, cell) in cells.iter().enumerate() {
            let apart = |other: &Cell| {
                other.x + other.width <= cell.x
                    || cell.x + cell.width <= other.x
                    || other.y + other.height <= cell.y
                    || cell.y + cell.height <= other.y
            };
            assert!(
                cells
                    .iter()
                    .enumerate()
                    .all(|(j, other)| i == j || apart(other))
            );
            assert!(cell.x + cell.width <= all.width && cell.y + cell.height <= all.height);
            // The number, read off the dots of its bar.
            assert_eq!(number(&all, *cell), Some(i + 1), "{n} pages");
            assert!(is(all.at(cell.x - 2, cell.y), [190; 3]), "between cells");
            let (x, y) = (cell.x + cell.width / 2, cell.y + cell.height / 2 + 6);
            let found = all.at(x, y);
            assert!(is(found, colour(i)), "{n} pages, {i}: {found:?}");
        }
    }
}

/// The number in a cell's bar: the one whose drawing it is.
fn number(all: &Pixels, cell: Cell) -> Option<usize> {
    let black = |y: &u32| is(all.at(cell.x + cell.width - 1, *y), [0; 3]);
    let bar = (cell.y..).take_while(black).count();
    let dot = u32::try_from(bar).unwrap() / (mark::HEIGHT + 2);
    (1..=100).find(|&number| {
        let mut own = Pixels::white(cell.width, u32::try_from(bar).unwrap());
        own.fill([0, 0, own.width, own.height], [0; 3]);
        mark::draw(&mut own, number, (dot, dot), dot);
        let lit = |pixel: [u8; 3]| pixel[1] > 127;
        (0..own.height).all(|y| {
            (0..own.width).all(|x| lit(own.at(x, y)) == lit(all.at(cell.x + x, cell.y + y)))
        })
    })
}

#[test]
fn a_grid_needs_pages_and_names_the_one_it_cannot_read() {
    let page = png_file(&quarters(8, 8), None);
    let options = ImageOptions::default();
    assert_eq!(grid(&[], &options).unwrap_err().code(), "invalid_argument");
    let many = vec![page.as_slice(); 101];
    assert!(grid(&many, &options).is_err());
    let error = grid(&[&page, b"nothing"], &options).unwrap_err();
    assert!(error.to_string().contains("page 2"), "{error}");
    // As small as it gets: a hundred numbers that do not run into each other.
    let tiny = ImageOptions {
        longest_side: 16,
        ..options
    };
    let Grid { image, cells } = grid(&many[..100], &tiny).unwrap();
    let all = read(&image.data);
    assert_eq!(number(&all, cells[99]), Some(100));
}
