//! Several pages as one image, each in a numbered cell (SQUARE, arXiv:2509.26330), for a vision
//! model that ranks them in one call.
//!
//! The number stands white on black in a bar above its page, so that it hides nothing and is not
//! taken for a part of it. Pages are read one after the other: one is in memory at full size.

use ::image::imageops::replace;
use ::image::{Rgb, RgbImage};

use super::{ImageOptions, encode, fitted, mark, upright};
use crate::error::Error;
use crate::llm::LlmImage;

/// Most pages of a grid: beyond it nothing can be read.
const MOST: usize = 100;
/// Pixels between cells, and around all.
const GAP: u32 = 4;
/// Colour of what is no page and no bar.
const BETWEEN: Rgb<u8> = Rgb([190; 3]);
const BLACK: Rgb<u8> = Rgb([0; 3]);

/// Where a page is in the grid, in pixels, its bar included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Across.
    pub width: u32,
    /// Down.
    pub height: u32,
}

/// A grid and where everything is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The image.
    pub image: LlmImage,
    /// In the order of the pages: cell 0 is numbered 1.
    pub cells: Vec<Cell>,
}

/// Pages, as files, in a grid numbered from 1, row by row.
///
/// # Errors
/// `invalid_argument` when there are no pages or more than 100, or a page is as [`super::prepare`]
/// refuses it, named by its number.
pub fn grid(files: &[&[u8]], options: &ImageOptions) -> Result<Grid, Error> {
    options.check()?;
    if files.is_empty() || files.len() > MOST {
        return Err(Error::argument(
            "images",
            format!("1 to {MOST}"),
            files.len(),
        ));
    }
    let cells = cells(files.len(), options.longest_side);
    let dot = dot(cells[0]);
    let bar = bar(dot);
    let last = cells[cells.len() - 1];
    let right = cells.iter().map(|cell| cell.x + cell.width).max();
    let size = (right.unwrap_or(0) + GAP, last.y + last.height + GAP);
    // Most pages are white: their edges must be seen.
    let mut all = RgbImage::from_pixel(size.0, size.1, BETWEEN);
    for (i, (file, cell)) in files.iter().zip(&cells).enumerate() {
        let number = i + 1;
        // A page scaled to the longest side of its cell may still be too wide or too high.
        let page = upright(file, cell.width.max(cell.height), options).map_err(|error| {
            let found = format!("in page {number}: {error}");
            Error::argument("images", "files that can be read", found)
        })?;
        let room = cell.height - bar;
        let page = fitted(page, cell.width, room);
        fill(&mut all, [cell.x, cell.y, cell.width, bar], BLACK);
        mark::draw(&mut all, number, (cell.x + dot, cell.y + dot), dot);
        let left = cell.x + (cell.width - page.width()) / 2;
        let top = cell.y + bar + (room - page.height()) / 2;
        replace(&mut all, &page, left.into(), top.into());
    }
    let image = encode::smallest(&all, options.quality)?;
    Ok(Grid { image, cells })
}

/// Fills a rectangle, as far as it lies inside: x, y, width, height.
pub(super) fn fill(image: &mut RgbImage, [x, y, width, height]: [u32; 4], colour: Rgb<u8>) {
    let rectangle = RgbImage::from_pixel(width, height, colour);
    replace(image, &rectangle, x.into(), y.into());
}

/// Pixels of a digit's dot: a mark is about a twelfth of its cell.
fn dot(cell: Cell) -> u32 {
    (cell.height / (12 * mark::HEIGHT)).clamp(1, 6)
}

/// Height of the bar, a dot around its number.
const fn bar(dot: u32) -> u32 {
    (mark::HEIGHT + 2) * dot
}

/// About as many columns as rows; cells never wider than high, as paper is. Within `side`, unless
/// the cells would be too small for their numbers.
fn cells(n: usize, side: u32) -> Vec<Cell> {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let columns = (1..=n).find(|columns| columns * columns >= n).unwrap_or(1);
    let rows = n.div_ceil(columns);
    let share = |of: u32| (side.saturating_sub(GAP) / of).saturating_sub(GAP);
    // Three digits and the smallest bar must fit.
    let height = share(rows).max(2 * bar(1));
    let width = share(columns).min(height).max(4 * mark::ADVANCE);
    let cell = |i: u32| Cell {
        x: GAP + (i % columns) * (width + GAP),
        y: GAP + (i / columns) * (height + GAP),
        width,
        height,
    };
    (0..n).map(cell).collect()
}
