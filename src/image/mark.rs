//! Numbers drawn without a font: ten digits of 5 x 7 dots.

use ::image::{Rgb, RgbImage};

use super::grid::fill;

/// Dots of a digit across, with the space after it.
pub(super) const ADVANCE: u32 = 6;
/// Dots of a digit down.
pub(super) const HEIGHT: u32 = 7;

/// Five bits a row, the leftmost dot highest.
const DIGITS: [[u8; 7]; 10] = [
    [
        0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110,
    ],
    [
        0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b00001, 0b00010, 0b00100, 0b01000, 0b11111,
    ],
    [
        0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010,
    ],
    [
        0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110,
    ],
    [
        0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110,
    ],
    [
        0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100,
    ],
];

/// Draws `number` in white with its upper left corner at (x, y), a dot being `dot` pixels wide.
pub(super) fn draw(image: &mut RgbImage, number: usize, (x, y): (u32, u32), dot: u32) {
    let mut left = x;
    for digit in number.to_string().bytes() {
        let rows = DIGITS[usize::from(digit - b'0')];
        for (row, bits) in (0..).zip(rows) {
            for column in (0..5).filter(|column| bits & (0b10000 >> column) != 0) {
                let (x, y) = (left + column * dot, y + row * dot);
                fill(image, [x, y, dot, dot], Rgb([u8::MAX; 3]));
            }
        }
        left += ADVANCE * dot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_like_numbers() {
        let mut image = RgbImage::new(ADVANCE * 3, HEIGHT);
        draw(&mut image, 274, (0, 0), 1);
        let row = |y| -> String {
            let dot = |x| {
                if image.get_pixel(x, y)[0] > 0 {
                    '#'
                } else {
                    '.'
                }
            };
            (0..image.width()).map(dot).collect()
        };
        let rows: Vec<String> = (0..HEIGHT).map(row).collect();
        assert_eq!(
            rows,
            [
                ".###..#####....#..",
                "#...#.....#...##..",
                "....#....#...#.#..",
                "...#....#...#..#..",
                "..#....#....#####.",
                ".#.....#.......#..",
                "#####..#.......#..",
            ]
        );
    }
}
