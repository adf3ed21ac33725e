use super::*;
use crate::{MatRef, Philox, Pool};

/// The cuts of the node by the values alone, one by one.
fn naive(search: Search<'_>, lane: usize) -> (f32, bool, u32, Vec<f64>) {
    let rows = search.node.rows;
    let values = || rows.iter().map(|row| search.value(*row, lane));
    let (mut low, mut high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
    let scale = search.table.scale(search.features.as_flattened()[lane]);
    if let Some(ends) = scale.ends(scale.code(low), scale.code(high)) {
        [low, high] = ends;
    }
    let threshold = between(low, high, search.words.as_flattened()[lane]);
    let runs = search.node.runs.iter().flat_map(|run| vec![*run; run.n_rows as usize]);
    let mut left = vec![0.0; search.node.n_classes];
    let mut n_left = 0;
    for (value, run) in values().zip(runs) {
        left[run.class as usize] += if value <= threshold { run.weight } else { 0.0 };
        n_left += u32::from(value <= threshold);
    }
    (threshold, high <= low + search.same, n_left, left)
}

fn assert_naive(cuts: &RandomCuts, search: Search<'_>, context: &str) {
    for lane in 0..search.n_features {
        let (threshold, is_constant, n_left, left) = naive(search, lane);
        assert_eq!(cuts.is_constant.as_flattened()[lane], is_constant, "{context}");
        assert_eq!(cuts.thresholds.as_flattened()[lane].to_bits(), threshold.to_bits(), "{context}");
        assert_eq!(cuts.n_left.as_flattened()[lane], n_left, "{context}");
        let found: Vec<f64> = cuts.left.iter().map(|left| left.as_flattened()[lane]).collect();
        assert_eq!(found, left, "{context}");
    }
}

/// Values of some kinds: few different ones, many, one that is far away, and all the same.
fn value(kind: u32, word: u32) -> f32 {
    match kind {
        0 => (word % 3) as f32 - 1.0,
        1 => word as f32 / 1e6,
        2 if word.is_multiple_of(97) => 1e30,
        2 => (word % 1000) as f32 * 1e-3,
        3 => -2.5,
        _ => f32::from_bits(word % 0x7f7f_ffff) * if word.is_multiple_of(2) { 1.0 } else { -1.0 },
    }
}

#[test]
fn cuts_agree_with_their_naive_twin() {
    for seed in 0..60 {
        let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
        let (n_table, n_cols) = ([40, 700, 1500][seed as usize % 3], 1 + random.below(60));
        let x: Vec<f32> = (0..n_table * n_cols).map(|i| value(i % n_cols % 5, random.next_u32())).collect();
        let table = Table::new(MatRef::new(&x, n_table as usize, n_cols as usize), None, &Pool::inline());
        for n_rows in [1, 2, 7, 40, 300, 600, n_table] {
            let mut rows: Vec<u32> = (0..n_table).collect();
            for i in 0..rows.len() {
                rows.swap(i, random.below(n_table) as usize);
            }
            rows.truncate(n_rows as usize);
            let (mut runs, mut n_left, longest) =
                (Vec::new(), rows.len() as u32, [9, 500][seed as usize % 2]);
            while n_left > 0 {
                let n_rows = (1 + random.below(longest)).min(n_left);
                runs.push(Run { class: random.below(3), n_rows, weight: f64::from(random.below(5)) / 4.0 });
                n_left -= n_rows;
            }
            let node = Node { rows: &rows, runs: &runs, n_classes: 3 };
            let n_features = 1 + random.below(LANES as u32);
            let features: Vec<u32> = (0..n_features).map(|_| random.below(n_cols)).collect();
            let words: Lanes<u32> = std::array::from_fn(|_| std::array::from_fn(|_| random.next_u32()));
            let mut cuts = RandomCuts::default();
            cuts.begin(&table, node);
            cuts.cut(&table, node, (&features, &words), 0.5);
            let search = Search::new(&table, node, (&features, &words), 0.5);
            let context = format!("seed {seed}, {} of {n_table} rows, {n_features} features", rows.len());
            assert_naive(&cuts, search, &context);
            cuts.n_left = Lanes::default();
            cuts.left.fill(Lanes::default());
            cuts.cut_with(search, equal);
            assert_naive(&cuts, search, &context);
        }
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn equal_codes_agree_with_their_naive_twin() {
    if !is_x86_feature_detected!("avx2") {
        return;
    }
    let mut random = Philox::new(7, 0, 0).sequence(0, 0);
    for _ in 0..100 {
        let [codes, others]: [[u8; LANES]; 2] =
            std::array::from_fn(|_| std::array::from_fn(|_| random.below(3) as u8 * 100));
        // SAFETY: the machine has AVX2.
        assert_eq!(unsafe { x86::equal(&codes, &others) }, equal(&codes, &others));
    }
}

#[test]
fn gini_adds_up_both_sides() {
    let first: Lanes<f64> =
        std::array::from_fn(|chunk| std::array::from_fn(|lane| (chunk * WIDTH + lane) as f64));
    let left = [first, [[1.0; WIDTH]; CHUNKS]];
    let gains = gini(&left, [9.0, 4.0].into_iter(), 13.0, 9);
    assert_eq!(gains[0][0], 1.0 + (81.0 + 9.0) / 12.0);
    assert_eq!(gains[0][7], (49.0 + 1.0) / 8.0 + (4.0 + 9.0) / 5.0);
    assert_eq!(gains[1][0], (64.0 + 1.0) / 9.0 + (1.0 + 9.0) / 4.0);
    assert_eq!(gains[2], [0.0; WIDTH]);
}

#[test]
fn thresholds_stay_below_the_greatest_value() {
    for low in [-1.0f32, 0.0, 1.0, -3.4e38, f32::MIN_POSITIVE] {
        assert_eq!(between(low, low.next_up(), u32::MAX), low);
        assert_eq!(between(low, f32::MAX, 0), low);
    }
    assert_eq!(between(-2.0, 2.0, 1 << 31), 0.0);
    assert_eq!(between(-1.0, 3.0, 1 << 31), 1.0);
    assert!(between(-0.0, 1.0, 0).is_sign_positive());
}

#[test]
#[should_panic(expected = "features")]
fn a_missing_feature_is_refused() {
    let run = [Run { class: 0, n_rows: 1, weight: 1.0 }];
    let table = Table::new(MatRef::new(&[1.0], 1, 1), None, &Pool::inline());
    let node = Node { rows: &[0], runs: &run, n_classes: 1 };
    RandomCuts::default().cut(&table, node, (&[1], &Lanes::default()), 0.0);
}

#[test]
#[should_panic(expected = "rows of the table")]
fn a_missing_row_is_refused() {
    let run = [Run { class: 0, n_rows: 1, weight: 1.0 }];
    let table = Table::new(MatRef::new(&[1.0], 1, 1), None, &Pool::inline());
    let node = Node { rows: &[1], runs: &run, n_classes: 1 };
    RandomCuts::default().cut(&table, node, (&[0], &Lanes::default()), 0.0);
}
