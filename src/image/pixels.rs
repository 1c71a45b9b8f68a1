//! Pixels in memory: three bytes each, red, green and blue, rows from the top.

use super::exif::Orientation;

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    /// `3 * width * height` bytes.
    pub(super) bytes: Vec<u8>,
}

impl Pixels {
    /// All white.
    pub(super) fn white(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            bytes: vec![u8::MAX; 3 * width as usize * height as usize],
        }
    }

    /// Bytes of a row.
    pub(super) const fn stride(&self) -> usize {
        3 * self.width as usize
    }

    pub(super) fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let start = y as usize * self.stride() + 3 * x as usize;
        let mut pixel = [0; 3];
        pixel.copy_from_slice(&self.bytes[start..start + 3]);
        pixel
    }

    /// Fills a rectangle, as far as it lies inside: x, y, width, height.
    pub(super) fn fill(&mut self, [x, y, width, height]: [u32; 4], colour: [u8; 3]) {
        let stride = self.stride();
        let end = x.saturating_add(width).min(self.width);
        if x >= end {
            return;
        }
        for row in y..y.saturating_add(height).min(self.height) {
            let start = row as usize * stride;
            let row = &mut self.bytes[start + 3 * x as usize..start + 3 * end as usize];
            for pixel in row.chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// Puts `other` with its upper left corner at (x, y); it must lie inside.
    pub(super) fn put(&mut self, other: &Self, x: u32, y: u32) {
        let (stride, theirs) = (self.stride(), other.stride());
        for (row, bytes) in other.bytes.chunks_exact(theirs).enumerate() {
            let start = (y as usize + row) * stride + 3 * x as usize;
            self.bytes[start..start + theirs].copy_from_slice(bytes);
        }
    }

    /// As the camera was held.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let (w, h) = (self.width, self.height);
        let (width, height) = match orientation.swaps_sides() {
            true => (h, w),
            false => (w, h),
        };
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for y in 0..height {
            for x in 0..width {
                let (x, y) = orientation.source(x, y, w, h);
                bytes.extend_from_slice(&self.at(x, y));
            }
        }
        Self {
            width,
            height,
            bytes,
        }
    }
}
