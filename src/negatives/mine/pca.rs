//! Vectors of several embedders as one, and principal components that keep a share of variance.
//!
//! The eigenproblem is solved on the smaller of the covariance and the Gram matrix by cyclic Jacobi
//! rotations: exact enough, no dependency, cubic in that size, so the size is limited.

use super::super::settings::within;
use crate::error::Error;

/// Largest side of the matrix to decompose.
const LARGEST: usize = 1024;
const SWEEPS: usize = 60;

/// Rows of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    width: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// Rows one after the other.
    ///
    /// # Errors
    /// `invalid_argument` for a width of 0, a part of a row, or values that are not finite.
    pub fn new(width: usize, values: Vec<f32>) -> Result<Self, Error> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let expected = format!("whole rows of {width} values");
            return Err(Error::argument("vectors", expected, values.len()));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Error::argument(
                "vectors",
                "finite values",
                "NaN or infinity",
            ));
        }
        Ok(Self { width, values })
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Values in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// A row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Cosine similarity of two rows; 0 with a zero row.
    #[must_use]
    pub fn cosine(&self, a: usize, b: usize) -> f32 {
        cosine(self.row(a), self.row(b))
    }
}

pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| {
        x.iter()
            .zip(y)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum::<f64>()
    };
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm > 0.0 {
        (dot(a, b) / norm) as f32
    } else {
        0.0
    }
}

/// The same rows by several embedders, side by side, each embedder's rows scaled to length 1 so
/// that all count alike.
///
/// # Errors
/// `invalid_argument` without embedders or with different numbers of rows.
pub fn concatenate(embedders: &[Vectors]) -> Result<Vectors, Error> {
    let rows = embedders.first().map_or(0, Vectors::rows);
    if let Some(other) = embedders.iter().find(|e| e.rows() != rows) {
        return Err(Error::argument(
            "embedders",
            format!("{rows} rows each"),
            other.rows(),
        ));
    }
    let width = embedders.iter().map(|e| e.width).sum();
    let mut values = Vec::with_capacity(rows * width);
    for row in 0..rows {
        for embedder in embedders {
            let own = embedder.row(row);
            let norm = own.iter().map(|v| v * v).sum::<f32>().sqrt();
            values.extend(own.iter().map(|v| if norm > 0.0 { v / norm } else { 0.0 }));
        }
    }
    Vectors::new(width, values)
}

/// Rows in the fewest principal components that hold at least `keep` (0.1..=1) of the variance;
/// the paper's 0.95. Rows that are all the same become one zero each.
///
/// # Errors
/// `invalid_argument` for `keep` out of range, or when both rows and width exceed 1024.
pub fn pca(vectors: &Vectors, keep: f32) -> Result<Vectors, Error> {
    within("keep", keep, 0.1..=1.0)?;
    let (n, width) = (vectors.rows(), vectors.width);
    within("rows or width", n.min(width), 0..=LARGEST)?;
    let mut mean = vec![0.0_f64; width];
    for row in 0..n {
        mean.iter_mut()
            .zip(vectors.row(row))
            .for_each(|(m, v)| *m += f64::from(*v) / n as f64);
    }
    let centred: Vec<Vec<f64>> = (0..n)
        .map(|row| {
            vectors
                .row(row)
                .iter()
                .zip(&mean)
                .map(|(v, m)| f64::from(*v) - m)
                .collect()
        })
        .collect();
    let gram = n <= width;
    let side = n.min(width);
    let mut matrix = vec![0.0; side * side];
    for i in 0..side {
        for j in 0..=i {
            let dot: f64 = match gram {
                true => centred[i].iter().zip(&centred[j]).map(|(a, b)| a * b).sum(),
                false => centred.iter().map(|row| row[i] * row[j]).sum(),
            };
            matrix[i * side + j] = dot;
            matrix[j * side + i] = dot;
        }
    }
    let (values, basis) = jacobi(matrix, side);
    let total: f64 = values.iter().map(|v| v.max(0.0)).sum();
    let mut order: Vec<usize> = (0..side).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let mut held = 0.0;
    let mut kept = Vec::new();
    for axis in order {
        if values[axis] <= total * 1e-12 || (held >= f64::from(keep) * total && !kept.is_empty()) {
            break;
        }
        held += values[axis];
        kept.push(axis);
    }
    let project = |row: usize, axis: usize| -> f64 {
        match gram {
            // The row's coordinate is the Gram eigenvector's entry times the singular value.
            true => basis[row * side + axis] * values[axis].max(0.0).sqrt(),
            false => centred[row]
                .iter()
                .enumerate()
                .map(|(k, v)| v * basis[k * side + axis])
                .sum(),
        }
    };
    if kept.is_empty() {
        return Vectors::new(1, vec![0.0; n]);
    }
    let values = (0..n).flat_map(|row| kept.iter().map(move |&axis| (row, axis)));
    Vectors::new(
        kept.len(),
        values
            .map(|(row, axis)| project(row, axis) as f32)
            .collect(),
    )
}

/// Eigenvalues of a symmetric matrix and, in columns, its eigenvectors.
fn jacobi(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    let size: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let off: f64 = (0..n)
            .flat_map(|i| (0..i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * n + j].powi(2))
            .sum();
        if off <= size * 1e-22 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                    let (x, y) = (v[k * n + p], v[k * n + q]);
                    v[k * n + p] = c * x - s * y;
                    v[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
            }
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn random(rows: usize, width: usize, scale: impl Fn(usize) -> f64) -> Vectors {
        let mut random = Random::new(9);
        let values = (0..rows * width)
            .map(|i| (random.normal() * scale(i % width)) as f32)
            .collect();
        Vectors::new(width, values).unwrap()
    }

    fn distance(v: &Vectors, a: usize, b: usize) -> f32 {
        v.row(a)
            .iter()
            .zip(v.row(b))
            .map(|(x, y)| (x - y).powi(2))
            .sum::<f32>()
            .sqrt()
    }

    #[test]
    fn all_components_keep_every_distance_whichever_matrix_is_used() {
        for (rows, width) in [(6, 20), (30, 5)] {
            let vectors = random(rows, width, |_| 1.0);
            let reduced = pca(&vectors, 1.0).unwrap();
            assert!(reduced.width() <= rows.min(width));
            for a in 0..rows {
                for b in 0..rows {
                    let gap = distance(&vectors, a, b) - distance(&reduced, a, b);
                    assert!(gap.abs() < 1e-4, "{rows}x{width}: {gap}");
                }
            }
        }
    }

    #[test]
    fn directions_that_hold_little_variance_are_dropped_at_95_per_cent() {
        let vectors = random(200, 6, |k| if k < 2 { 10.0 } else { 0.5 });
        assert_eq!(pca(&vectors, 0.95).unwrap().width(), 2);
        assert_eq!(pca(&vectors, 1.0).unwrap().width(), 6);
        let same = Vectors::new(3, vec![1.0; 12]).unwrap();
        assert_eq!(
            pca(&same, 0.95).unwrap(),
            Vectors::new(1, vec![0.0; 4]).unwrap()
        );
        assert!(pca(&vectors, 0.0).is_err());
    }

    #[test]
    fn embedders_count_alike_whatever_their_scale() {
        let a = Vectors::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        let b = Vectors::new(1, vec![500.0, 500.0]).unwrap();
        let both = concatenate(&[a.clone(), b]).unwrap();
        assert_eq!(both.row(0), [1.0, 0.0, 1.0]);
        assert!((both.cosine(0, 1) - 0.5).abs() < 1e-6);
        assert!(concatenate(&[a, Vectors::new(1, vec![1.0]).unwrap()]).is_err());
        assert!(Vectors::new(2, vec![1.0]).is_err() && Vectors::new(1, vec![f32::NAN]).is_err());
    }
}
