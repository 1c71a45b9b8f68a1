//! A small dense least-squares solver: ridge regression by Cholesky, in f64.

/// The `x` that makes `sum_i x_i * columns_i` nearest to `target` with a penalty on its length:
/// `(A'A + ridge * t * I)^-1 A' target`, where `t` is the mean of A'A's diagonal. All zeros when
/// the columns are. Cost: m n^2 + n^3 / 3 for n columns of m.
pub(super) fn ridge(columns: &[Vec<f64>], target: &[f64], ridge: f64) -> Vec<f64> {
    let n = columns.len();
    let mut gram: Vec<Vec<f64>> = (columns.iter())
        .map(|a| columns.iter().map(|b| dot(a, b)).collect())
        .collect();
    let scale = (0..n).map(|i| gram[i][i]).sum::<f64>() / n.max(1) as f64;
    if scale <= 0.0 {
        return vec![0.0; n];
    }
    for (i, row) in gram.iter_mut().enumerate() {
        // A floor under the penalty keeps the factorisation alive for repeated columns.
        row[i] += ridge.max(1e-12) * scale;
    }
    let right: Vec<f64> = columns.iter().map(|column| dot(column, target)).collect();
    solve(gram, right)
}

/// Solves `matrix x = right` for a symmetric positive definite matrix.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    // The lower triangle becomes the factor L with matrix = L L'.
    for i in 0..n {
        for j in 0..=i {
            let known = dot(&matrix[i][..j], &matrix[j][..j]);
            let left = matrix[i][j] - known;
            matrix[i][j] = if i == j {
                left.max(f64::MIN_POSITIVE).sqrt()
            } else {
                left / matrix[j][j]
            };
        }
    }
    for i in 0..n {
        right[i] = (right[i] - dot(&matrix[i][..i], &right[..i])) / matrix[i][i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| matrix[j][i] * right[j]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    right
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_with_a_solution_is_solved() {
        let columns = [vec![1.0, 2.0, 0.0], vec![0.0, 1.0, 3.0]];
        // 2 x first - 1 x second.
        let x = ridge(&columns, &[2.0, 3.0, -3.0], 0.0);
        assert!(
            (x[0] - 2.0).abs() < 1e-9 && (x[1] + 1.0).abs() < 1e-9,
            "{x:?}"
        );
    }

    #[test]
    fn a_penalty_shrinks_as_the_formula_says() {
        // One column: x = a'b / (a'a + ridge a'a).
        let x = ridge(&[vec![3.0, 4.0]], &[3.0, 4.0], 0.25);
        assert!((x[0] - 0.8).abs() < 1e-12, "{x:?}");
    }

    #[test]
    fn repeated_and_empty_columns_do_no_harm() {
        let x = ridge(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[2.0, 2.0], 1e-9);
        assert!((x[0] + x[1] - 2.0).abs() < 1e-6, "{x:?}");
        assert_eq!(ridge(&[vec![0.0, 0.0]], &[1.0, 1.0], 0.1), [0.0]);
        assert!(ridge(&[], &[1.0], 0.1).is_empty());
    }
}
