//! Where the windows of a listwise pass lie: from the bottom of a list to its top, overlapping, so
//! that a good document rises with them.

use core::ops::Range;

/// Windows over `floor..n`, the lowest first, each `size` long (the last may be shorter) and `step`
/// above the one before; none when there is nothing to sort.
///
/// There are `1 + ceil((n - floor - size) / step)` of them, 1 when all fits into one.
pub(super) fn windows(n: usize, floor: usize, size: usize, step: usize) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut end = n;
    while end > floor + 1 {
        let start = end.saturating_sub(size).max(floor);
        windows.push(start..end);
        if start == floor {
            break;
        }
        end -= step;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_climb_to_the_floor() {
        assert_eq!(windows(20, 0, 10, 5), [10..20, 5..15, 0..10]);
        assert_eq!(windows(25, 0, 20, 10), [5..25, 0..15]);
        assert_eq!(windows(100, 0, 20, 10).len(), 9);
        assert_eq!(windows(20, 8, 10, 5), [10..20, 8..15]);
        assert_eq!(windows(3, 0, 20, 10).first(), Some(&(0..3)));
        assert!(windows(1, 0, 20, 10).is_empty());
        assert!(windows(5, 4, 20, 10).is_empty());
        assert!(windows(5, 9, 20, 10).is_empty());
    }

    #[test]
    fn the_number_of_windows_is_the_documented_one() {
        for n in 2..60_usize {
            for floor in 0..n - 1 {
                for size in 2..12 {
                    for step in 1..size {
                        let count = windows(n, floor, size, step).len();
                        let above = (n - floor).saturating_sub(size).div_ceil(step);
                        assert_eq!(count, 1 + above, "{n} {floor} {size} {step}");
                    }
                }
            }
        }
    }
}
