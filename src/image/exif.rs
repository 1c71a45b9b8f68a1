//! How the camera was held: the one EXIF tag that changes how an image looks (TIFF 6.0, tag 274).
//!
//! Only the first directory is read. What cannot be read counts as upright: metadata is often
//! damaged by tools that move it, and the image is still good.

/// One of the eight ways to hold a camera, 1 to 8 as EXIF numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    pub(super) const UPRIGHT: Self = Self(1);

    /// Of an EXIF block, with or without the mark that JPEG puts before it.
    pub(super) fn of(exif: Option<&[u8]>) -> Self {
        exif.and_then(read).unwrap_or(Self::UPRIGHT)
    }

    /// Whether what is stored as rows are columns.
    pub(super) const fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Where, in an image stored as `w` x `h`, the pixel lies that belongs at (x, y).
    pub(super) const fn source(self, x: u32, y: u32, w: u32, h: u32) -> (u32, u32) {
        match self.0 {
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (y, h - 1 - x),
            7 => (w - 1 - y, h - 1 - x),
            8 => (w - 1 - y, x),
            _ => (x, y),
        }
    }
}

fn read(exif: &[u8]) -> Option<Orientation> {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    };
    let bytes = tiff.get(4..8)?.try_into().ok()?;
    let directory = match little {
        true => u32::from_le_bytes(bytes),
        false => u32::from_be_bytes(bytes),
    };
    let directory = usize::try_from(directory).ok()?;
    let entries = usize::from(short(directory)?);
    let first = directory.checked_add(2)?;
    let entry = (0..entries)
        .map_while(|i| first.checked_add(12 * i))
        .find(|&at| short(at) == Some(274))?;
    // Type 3, one short, stands in the entry itself.
    let value = (short(entry + 2)? == 3).then(|| short(entry + 8))??;
    let value = u8::try_from(value).ok()?;
    (1..=8).contains(&value).then_some(Orientation(value))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A block with a maker before the orientation.
    pub(in super::super) fn block(value: u16, little: bool) -> Vec<u8> {
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
        block.extend([&short(274)[..], &short(3), &long(1), &short(value), &[0; 2]].concat());
        block.extend(long(0));
        block
    }

    #[test]
    fn the_orientation_is_read_in_either_byte_order_and_with_the_mark_before_it() {
        for value in 1..=8 {
            for little in [true, false] {
                let plain = block(value, little);
                let marked = [b"Exif\0\0".as_slice(), &plain].concat();
                let expected = Orientation(u8::try_from(value).unwrap());
                assert_eq!(Orientation::of(Some(&plain)), expected);
                assert_eq!(Orientation::of(Some(&marked)), expected);
            }
        }
    }

    #[test]
    fn damaged_metadata_counts_as_upright_and_never_panics() {
        assert_eq!(Orientation::of(None), Orientation::UPRIGHT);
        for value in [0, 9, 65535] {
            let block = block(value, true);
            assert_eq!(Orientation::of(Some(&block)), Orientation::UPRIGHT);
        }
        let whole = block(6, true);
        for end in 0..32 {
            assert_eq!(Orientation::of(Some(&whole[..end])), Orientation::UPRIGHT);
        }
        // Every byte in turn at its most harmful: the directory and its length are among them.
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] = u8::MAX;
            let _ = Orientation::of(Some(&bad));
        }
    }
}
