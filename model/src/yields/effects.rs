//! Additive effects with assumed variances: what is left when places, people and varieties overlap.
//!
//! ```text
//! value = effect + effect + ... + block + rest,   effect ~ N(0, v_e), block ~ N(0, v_b), rest ~ N(0, v)
//! ```
//!
//! The best linear unbiased prediction of every effect (Henderson's mixed-model equations). Blocks are
//! absorbed, because each row stands in exactly one; what remains is one dense symmetric system of the
//! other effects. All variances are multiplied by one scale, estimated from the rows and held near 1 by
//! [`PRIOR_FREEDOM`] imaginary ones, so that three rows do not claim to know the spread.

/// Imaginary rows behind the assumed variances (our choice).
const PRIOR_FREEDOM: f64 = 8.0;

/// One value and what it is made of.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) block: usize,
    /// Places in `Layout::variances`, each at most once.
    pub(super) effects: Vec<usize>,
    pub(super) value: f64,
    /// Variance of the rest.
    pub(super) variance: f64,
}

/// The assumed variances.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// One an effect; infinite for one that is not held back at all.
    pub(super) variances: Vec<f64>,
    /// One a block; zero where the block has no effect of its own.
    pub(super) blocks: Vec<f64>,
}

/// Effects with the covariance of what is still unknown about them.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    effects: Vec<f64>,
    /// Row by row, symmetric, before the scale.
    covariance: Vec<f64>,
    /// What multiplies every variance.
    pub(super) scale: f64,
    /// Degrees of freedom behind the scale.
    pub(super) freedom: f64,
}

impl Fitted {
    /// Solves for the effects; `None` without rows, or where the system cannot be solved.
    pub(super) fn new(layout: &Layout, rows: &[Row]) -> Option<Self> {
        let size = layout.variances.len();
        if rows.is_empty() || size == 0 {
            return None;
        }
        let mut matrix = vec![0.0; size * size];
        for (place, variance) in layout.variances.iter().enumerate() {
            // A free effect keeps a sliver, so that a level that no row speaks of stays solvable.
            matrix[place * size + place] =
                if variance.is_finite() { 1.0 / variance } else { 1e-15 };
        }
        let mut right = vec![0.0; size];
        let mut squares = 0.0;
        let mut blocks = vec![Absorbed::default(); layout.blocks.len()];
        for row in rows {
            let weight = 1.0 / row.variance;
            squares += weight * row.value * row.value;
            let block = &mut blocks[row.block];
            block.weight += weight;
            block.value += weight * row.value;
            for &a in &row.effects {
                right[a] += weight * row.value;
                match block.effects.iter_mut().find(|(place, _)| *place == a) {
                    Some((_, sum)) => *sum += weight,
                    None => block.effects.push((a, weight)),
                }
                for &b in &row.effects {
                    matrix[a * size + b] += weight;
                }
            }
        }
        for (block, variance) in blocks.iter().zip(&layout.blocks) {
            if *variance <= 0.0 || block.weight <= 0.0 {
                continue;
            }
            let total = block.weight + 1.0 / variance;
            squares -= block.value * block.value / total;
            for &(a, weight_a) in &block.effects {
                right[a] -= weight_a * block.value / total;
                for &(b, weight_b) in &block.effects {
                    matrix[a * size + b] -= weight_a * weight_b / total;
                }
            }
        }
        let covariance = inverse(matrix, size)?;
        let effects: Vec<f64> = covariance.chunks(size).map(|row| dot(row, &right)).collect();
        // y'V⁻¹y of what the free effects leave, which is the residual sum on the assumed scale.
        let left = (squares - dot(&effects, &right)).max(0.0);
        let freedom = PRIOR_FREEDOM + rows.len() as f64;
        Some(Self { effects, covariance, scale: (PRIOR_FREEDOM + left) / freedom, freedom })
    }

    /// Sum of some effects.
    pub(super) fn sum(&self, places: &[usize]) -> f64 {
        places.iter().map(|&place| self.effects[place]).sum()
    }

    /// Variance of that sum, scaled.
    pub(super) fn variance(&self, places: &[usize]) -> f64 {
        let unscaled: f64 =
            places.iter().flat_map(|&a| places.iter().map(move |&b| self.between(a, b))).sum();
        unscaled.max(0.0) * self.scale
    }

    /// Difference of two effects and its standard error.
    pub(super) fn difference(&self, a: usize, b: usize) -> (f64, f64) {
        let variance = self.between(a, a) + self.between(b, b) - 2.0 * self.between(a, b);
        (self.effects[a] - self.effects[b], (variance.max(0.0) * self.scale).sqrt())
    }

    fn between(&self, a: usize, b: usize) -> f64 {
        self.covariance[a * self.effects.len() + b]
    }
}

/// Sums of one block.
#[derive(Clone, Debug, Default)]
struct Absorbed {
    weight: f64,
    value: f64,
    effects: Vec<(usize, f64)>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Inverse of a symmetric positive definite matrix by Cholesky's factor; `None` where it is not.
fn inverse(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    for row in 0..size {
        for column in 0..=row {
            let (a, b) = (row * size, column * size);
            let known = dot(&matrix[a..a + column], &matrix[b..b + column]);
            let rest = matrix[a + column] - known;
            if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                matrix[a + column] = rest.sqrt();
            } else {
                matrix[a + column] = rest / matrix[b + column];
            }
        }
    }
    let mut result = vec![0.0; size * size];
    let mut solved = vec![0.0; size];
    for unit in 0..size {
        for row in 0..size {
            let known = dot(&matrix[row * size..row * size + row], &solved[..row]);
            let wanted = if row == unit { 1.0 } else { 0.0 };
            solved[row] = (wanted - known) / matrix[row * size + row];
        }
        for row in (0..size).rev() {
            let known: f64 =
                (row + 1..size).map(|below| matrix[below * size + row] * solved[below]).sum();
            solved[row] = (solved[row] - known) / matrix[row * size + row];
        }
        result[unit * size..(unit + 1) * size].copy_from_slice(&solved);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balanced_table_gives_the_plain_differences_when_nothing_is_held_back() {
        // Two blocks of very different level, two varieties that differ by 10 in both.
        let layout = Layout { variances: vec![f64::INFINITY, 1e9, 1e9], blocks: vec![1e9, 1e9] };
        let row =
            |block, variety, value| Row { block, effects: vec![0, variety], value, variance: 1.0 };
        let rows = [row(0, 1, 100.0), row(0, 2, 110.0), row(1, 1, 300.0), row(1, 2, 310.0)];
        let fitted = Fitted::new(&layout, &rows).unwrap();
        let (difference, error) = fitted.difference(2, 1);
        assert!((difference - 10.0).abs() < 1e-3, "{difference}");
        assert!(error > 0.0);
    }

    #[test]
    fn an_effect_that_no_row_speaks_of_keeps_its_assumed_variance() {
        let layout = Layout { variances: vec![f64::INFINITY, 4.0], blocks: vec![1.0] };
        let rows = [Row { block: 0, effects: vec![0], value: 5.0, variance: 1.0 }];
        let fitted = Fitted::new(&layout, &rows).unwrap();
        assert!((fitted.variance(&[1]) / fitted.scale - 4.0).abs() < 1e-9);
        assert!((fitted.sum(&[0]) - 5.0).abs() < 1e-6);
    }

    #[test]
    fn without_rows_there_is_nothing_to_fit() {
        assert!(Fitted::new(&Layout::default(), &[]).is_none());
    }
}
