//! Hashes of rows and columns, to find equal ones.
//!
//! Every step is a bijection of its lane for a given word, so two rows that differ in one value cannot collide before
//! the lanes are folded to 128 bits; the probability of any collision among a million rows is below 1e-26. 0 and -0
//! count as equal.

use headsmith_kernels::{MatRef, Pool};

const K: [u64; 4] =
    [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0xD6E8_FEB8_6659_FD93];

/// The number of rows in one piece of work.
const PIECE: usize = 1024;

/// The result of one pass over a matrix.
#[derive(Debug)]
pub(crate) struct Hashes {
    /// A hash of each row.
    pub(crate) rows: Vec<u128>,
    /// A hash of each column.
    pub(crate) columns: Vec<u64>,
    /// Whether each column is constant.
    pub(crate) constant: Vec<bool>,
}

#[inline]
fn bits(value: f32) -> u32 {
    (value + 0.0).to_bits()
}

#[inline]
fn mix(lane: u64, word: u64, k: u64) -> u64 {
    let product = (lane ^ word).wrapping_mul(k);
    product ^ (product >> 32)
}

/// A 128-bit hash of a row.
pub(crate) fn row(x: &[f32]) -> u128 {
    let mut lanes = K.map(|k| k ^ x.len() as u64);
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (i, lane) in lanes.iter_mut().enumerate() {
            let word = u64::from(bits(chunk[2 * i])) | u64::from(bits(chunk[2 * i + 1])) << 32;
            *lane = mix(*lane, word, K[i]);
        }
    }
    for (i, &value) in rest.iter().enumerate() {
        lanes[i % 4] = mix(lanes[i % 4], u64::from(bits(value)), K[i % 4]);
    }
    lanes.iter().fold(0, |hash, &lane| fold(hash, lane))
}

/// Adds a word to a 128-bit hash.
pub(crate) fn fold(hash: u128, word: u64) -> u128 {
    const M: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
    let product = (hash ^ u128::from(word)).wrapping_mul(M);
    (product ^ (product >> 64)).wrapping_add(M)
}

/// Adds a text to a 128-bit hash.
pub(crate) fn fold_text(hash: u128, text: &str) -> u128 {
    let mut hash = fold(hash, text.len() as u64);
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = fold(hash, u64::from_le_bytes(word));
    }
    hash
}

/// The hashes of all rows alone.
pub(crate) fn rows(x: MatRef<'_>, pool: &Pool) -> Vec<u128> {
    let pieces = pool.map(x.n_rows().div_ceil(PIECE), |i| {
        let piece = x.rows(i * PIECE, ((i + 1) * PIECE).min(x.n_rows()));
        (0..piece.n_rows()).map(|i| row(piece.row(i))).collect::<Vec<u128>>()
    });
    pieces.concat()
}

/// The hashes of all rows and columns, in one pass over the matrix.
pub(crate) fn of(x: MatRef<'_>, pool: &Pool) -> Hashes {
    let pieces = pool.map(x.n_rows().div_ceil(PIECE), |i| {
        of_piece(x.rows(i * PIECE, ((i + 1) * PIECE).min(x.n_rows())), x.row(0))
    });
    let mut all = Hashes { rows: Vec::new(), columns: vec![0; x.n_cols()], constant: vec![true; x.n_cols()] };
    for piece in pieces {
        all.rows.extend(piece.rows);
        all.columns.iter_mut().zip(piece.columns).for_each(|(all, hash)| *all = mix(*all, hash, K[0]));
        all.constant.iter_mut().zip(piece.constant).for_each(|(all, constant)| *all &= constant);
    }
    all
}

fn of_piece(x: MatRef<'_>, first: &[f32]) -> Hashes {
    let mut columns = vec![K[1]; x.n_cols()];
    let mut constant = vec![true; x.n_cols()];
    let rows = (0..x.n_rows()).map(|i| {
        let values = x.row(i);
        for (j, &value) in values.iter().enumerate() {
            columns[j] = mix(columns[j], u64::from(bits(value)), K[2]);
            constant[j] &= value == first[j];
        }
        row(values)
    });
    Hashes { rows: rows.collect(), columns, constant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Matrix;

    #[test]
    fn any_change_changes_the_hash() {
        for n in [1, 2, 7, 8, 9, 16, 37] {
            let x: Vec<f32> = (0..n).map(|i| i as f32 * 0.5 + 1.0).collect();
            let mut seen = vec![row(&x)];
            for i in 0..n {
                for changed in [-x[i], x[i] + 1.0, f32::from_bits(x[i].to_bits() ^ 1)] {
                    let mut y = x.clone();
                    y[i] = changed;
                    seen.push(row(&y));
                }
            }
            seen.push(row(&[&x[..], &[0.0]].concat()));
            let total = seen.len();
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), total, "{n} values");
        }
        assert_eq!(row(&[0.0, 1.0]), row(&[-0.0, 1.0]));
        assert_ne!(row(&[0.0, 1.0]), row(&[1.0, 0.0]));
    }

    #[test]
    fn the_same_for_any_number_of_threads() {
        let x = Matrix::new((0..5000).map(|i| (i % 37) as f32).collect(), 2500, 2);
        let (one, four) = (of(x.view(), &Pool::inline()), of(x.view(), &Pool::new(4).unwrap()));
        assert_eq!((&one.rows, one.columns), (&four.rows, four.columns));
        assert_eq!(rows(x.view(), &Pool::new(4).unwrap()), one.rows);
    }
}
