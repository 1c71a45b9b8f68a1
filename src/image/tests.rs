//! Files made here, read back: orientation, limits, damage, scaling, encoding, the grid.

use ::image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use ::image::{DynamicImage, GrayAlphaImage, ImageBuffer, ImageEncoder, Luma, Rgb, RgbaImage};

use super::grid::fill;
use super::*;
use crate::llm::MediaType;

const WHITE: Rgb<u8> = Rgb([255; 3]);
const BLACK: Rgb<u8> = Rgb([0; 3]);
const RED: Rgb<u8> = Rgb([220, 30, 30]);
const GREEN: Rgb<u8> = Rgb([30, 200, 30]);
const BLUE: Rgb<u8> = Rgb([30, 30, 220]);
const GREY: Rgb<u8> = Rgb([120; 3]);

fn plain(width: u32, height: u32, colour: Rgb<u8>) -> RgbImage {
    RgbImage::from_pixel(width, height, colour)
}

/// A quarter each: red and green above, blue and grey below.
fn quarters(width: u32, height: u32) -> RgbImage {
    let mut image = plain(width, height, RED);
    let (w, h) = (width / 2, height / 2);
    fill(&mut image, [w, 0, width - w, h], GREEN);
    fill(&mut image, [0, h, w, height - h], BLUE);
    fill(&mut image, [w, h, width - w, height - h], GREY);
    image
}

/// Metadata with a maker before the orientation (TIFF 6.0, tag 274).
fn block(orientation: u16, little: bool) -> Vec<u8> {
    let short = |v: u16| match little {
        true => v.to_le_bytes(),
        false => v.to_be_bytes(),
    };
    let long = |v: u32| match little {
        true => v.to_le_bytes(),
        false => v.to_be_bytes(),
    };
    let mut block = Vec::new();
    block.extend(if little { *b"II*\0" } else { *b"MM\0*" });
    block.extend(long(8));
    block.extend(short(2));
    block.extend([&short(271)[..], &short(2), &long(4), b"cam\0"].concat());
    block.extend(
        [
            &short(274)[..],
            &short(3),
            &long(1),
            &short(orientation),
            &[0; 2],
        ]
        .concat(),
    );
    block.extend(long(0));
    block
}

fn with_exif(mut encoder: impl ImageEncoder, image: &RgbImage, exif: Option<Vec<u8>>) {
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    image.write_with_encoder(encoder).unwrap();
}

fn png_file(image: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    with_exif(PngEncoder::new(&mut file), image, exif);
    file
}

fn jpeg_file(image: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    with_exif(JpegEncoder::new_with_quality(&mut file, 95), image, exif);
    file
}

fn webp_file(image: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    with_exif(WebPEncoder::new_lossless(&mut file), image, exif);
    file
}

fn read(file: &[u8]) -> RgbImage {
    upright(file, 8192, &ImageOptions::default()).unwrap()
}

/// Whether a pixel is this colour, up to what JPEG loses.
fn is(found: Rgb<u8>, expected: Rgb<u8>) -> bool {
    let mut pairs = found.0.iter().zip(expected.0);
    pairs.all(|(&a, b)| a.abs_diff(b) < 25)
}

/// Colours in the middle of the quarters: upper left, upper right, lower left, lower right.
fn corners(image: &RgbImage) -> [Rgb<u8>; 4] {
    let (x, y) = (image.width() / 4, image.height() / 4);
    let (right, low) = (image.width() - 1 - x, image.height() - 1 - y);
    [(x, y), (right, y), (x, low), (right, low)].map(|(x, y)| *image.get_pixel(x, y))
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
            assert_eq!(pixels.dimensions(), size, "{value}");
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
fn a_file_that_breaks_off_is_refused_wherever_pixels_are_missing() {
    let page = quarters(40, 40);
    let thumbnail = jpeg_file(&quarters(8, 8), None);
    let exif = [block(1, true), thumbnail].concat();
    // Of a PNG's end its last chunk can go, and the check sums before it.
    for (name, file, spare) in [
        ("PNG", png_file(&page, None), 20),
        ("JPEG", jpeg_file(&page, Some(exif)), 1),
        ("WebP", webp_file(&page, None), 1),
    ] {
        let whole = prepare(&file, &ImageOptions::default()).unwrap();
        for end in 0..file.len() - spare {
            let cut = prepare(&file[..end], &ImageOptions::default());
            let code = cut.as_ref().map_err(Error::code);
            assert_eq!(code, Err("invalid_argument"), "{name} at {end}: {cut:?}");
        }
        for end in file.len() - spare..file.len() {
            if let Ok(cut) = prepare(&file[..end], &ImageOptions::default()) {
                assert_eq!(cut, whole, "{name} at {end}");
            }
        }
    }
}

#[test]
fn damaged_metadata_count_as_upright() {
    let page = quarters(40, 20);
    let whole = block(6, true);
    for exif in [
        block(0, true),
        block(9, false),
        whole[..20].to_vec(),
        vec![255; 30],
    ] {
        for file in [
            png_file(&page, Some(exif.clone())),
            jpeg_file(&page, Some(exif.clone())),
            webp_file(&page, Some(exif.clone())),
        ] {
            assert_eq!(read(&file).dimensions(), (40, 20), "{exif:?}");
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
        let page = plain(from.0, from.1, GREEN);
        let image = prepare(&png_file(&page, None), &options).unwrap();
        assert_eq!((image.width, image.height), to);
        let pixels = read(&image.data);
        assert_eq!(*pixels.get_pixel(to.0 - 1, to.1 - 1), GREEN, "{from:?}");
    }
}

#[test]
fn a_plain_colour_stays_that_colour_at_every_size() {
    for (from, to) in [(7, 3), (100, 99), (100, 1), (640, 13), (5, 5), (30_000, 1)] {
        let height = from.min(700);
        let colour = Rgb([3, 128, 251]);
        let small = scaled(plain(from, height, colour), to, 2);
        assert_eq!(small, plain(to, 2, colour), "{from} to {to}");
    }
}

#[test]
fn a_smaller_image_keeps_its_parts_in_place_and_its_brightness() {
    let small = scaled(quarters(300, 200), 30, 20);
    assert_eq!(corners(&small), [RED, GREEN, BLUE, GREY]);
    // Lines of one pixel, every fourth: a quarter of the ink, which skipping pixels would lose.
    let line = |x: u32, _| if x.is_multiple_of(4) { BLACK } else { WHITE };
    let small = scaled(RgbImage::from_fn(400, 400, line), 50, 50);
    let mean = small.iter().map(|&b| f64::from(b)).sum::<f64>() / small.len() as f64;
    assert!((mean - 0.75 * 255.0).abs() < 2.0, "{mean}");
    let middle = small.get_pixel(25, 25)[0];
    assert!((185..=198).contains(&middle), "{middle}");
}

#[test]
fn few_colours_become_a_png_without_loss_and_a_photograph_a_jpeg() {
    let page = quarters(200, 100);
    let image = prepare(&png_file(&page, None), &ImageOptions::default()).unwrap();
    assert_eq!(image.media_type, MediaType::Png);
    assert_eq!(read(&image.data), page);

    // A slope with grain, as cameras give.
    let photograph = RgbImage::from_fn(128, 128, |x, y| {
        let hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
        let grain = (hash.wrapping_mul(0xc2b2_ae3d) >> 24) % 11;
        Rgb([x, y, (x + y) / 2].map(|n| u8::try_from(n + grain).unwrap()))
    });
    let file = png_file(&photograph, None);
    let image = prepare(&file, &ImageOptions::default()).unwrap();
    assert_eq!(image.media_type, MediaType::Jpeg);
    assert!(image.data.starts_with(&[0xff, 0xd8, 0xff]));
    assert!(image.data.len() < file.len());
    let back = read(&image.data);
    let near = |(&a, &b): (&u8, &u8)| f64::from(a.abs_diff(b));
    let loss: f64 = back.iter().zip(photograph.iter()).map(near).sum();
    let loss = loss / back.len() as f64;
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
    let read = |image: DynamicImage| {
        let mut file = Vec::new();
        let encoder = PngEncoder::new(&mut file);
        image.write_with_encoder(encoder).unwrap();
        read(&file).into_raw()
    };
    let clear = RgbaImage::from_raw(2, 1, vec![9, 9, 9, 0, 200, 100, 0, 255]);
    let clear = read(clear.unwrap().into());
    assert_eq!(clear, [255, 255, 255, 200, 100, 0]);
    let half = GrayAlphaImage::from_raw(2, 1, vec![0, 128, 7, 255]);
    assert_eq!(read(half.unwrap().into()), [127, 127, 127, 7, 7, 7]);
    let grey = ImageBuffer::<Luma<u16>, _>::from_raw(2, 1, vec![0x1234, 0xffff]);
    let grey = read(grey.unwrap().into());
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
            Rgb([step(97), step(61), step(29)])
        };
        let file = |i: usize| {
            let (width, height) = [(60, 90), (90, 60), (50, 50)][i % 3];
            let page = plain(width, height, colour(i));
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
            assert!(cell.x + cell.width <= all.width() && cell.y + cell.height <= all.height());
            // The number, read off the dots of its bar.
            assert_eq!(number(&all, *cell), Some(i + 1), "{n} pages");
            assert!(
                is(*all.get_pixel(cell.x - 2, cell.y), Rgb([190; 3])),
                "between cells"
            );
            let (x, y) = (cell.x + cell.width / 2, cell.y + cell.height / 2 + 6);
            let found = *all.get_pixel(x, y);
            assert!(is(found, colour(i)), "{n} pages, {i}: {found:?}");
        }
    }
}

/// The number in a cell's bar: the one whose drawing it is.
fn number(all: &RgbImage, cell: Cell) -> Option<usize> {
    let black = |y: &u32| is(*all.get_pixel(cell.x + cell.width - 1, *y), BLACK);
    let bar = (cell.y..).take_while(black).count();
    let dot = u32::try_from(bar).unwrap() / (mark::HEIGHT + 2);
    (1..=100).find(|&number| {
        let mut own = RgbImage::new(cell.width, u32::try_from(bar).unwrap());
        mark::draw(&mut own, number, (dot, dot), dot);
        let lit = |pixel: &Rgb<u8>| pixel[1] > 127;
        let same = |(x, y, own)| lit(own) == lit(all.get_pixel(cell.x + x, cell.y + y));
        own.enumerate_pixels().all(same)
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
