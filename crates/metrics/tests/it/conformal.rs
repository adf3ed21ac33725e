//! The guarantee of conformal sets, by simulation: a new row's class is in its set with the level.

use headsmith_kernels::MatRef;
use headsmith_kernels::philox::{Philox, Sequence};
use headsmith_metrics::conformal::{Options, Rows};

const N_CLASSES: usize = 3;
const N_TABLES: u32 = 400;
const N_NEW: usize = 200;

/// Rows with probabilities that are wrong in a known way, so that nothing but the calibration can cover.
#[derive(Default)]
struct Table {
    proba: Vec<f32>,
    y: Vec<u32>,
    weights: Vec<f32>,
    groups: Vec<u32>,
}

impl Table {
    /// A row of a class drawn by `shares`; `doubt`, 0 to 1, is how little its probabilities know of it.
    fn add(&mut self, random: &mut Sequence, doubt: f64) -> &mut Table {
        let class = match random.uniform() {
            u if u < 0.6 => 0,
            u if u < 0.9 => 1,
            _ => 2,
        };
        // Rare classes are hard.
        let doubt = doubt * [0.6, 0.8, 1.0][class];
        let raw: Vec<f64> = (0..N_CLASSES)
            .map(|c| random.uniform() * doubt + if c == class { 1.0 - doubt * 0.7 } else { 0.1 })
            .collect();
        let sum: f64 = raw.iter().sum();
        self.proba.extend(raw.iter().map(|p| (p / sum) as f32));
        self.y.push(class as u32);
        self
    }

    fn rows(&self) -> Rows<'_> {
        Rows::new(self.view(), &self.y)
    }

    fn view(&self) -> MatRef<'_> {
        MatRef::new(&self.proba, self.y.len(), N_CLASSES)
    }
}

/// The mean coverage of new rows, and of new rows of each class, over many tables.
fn mean_coverage(
    options: Options,
    draw: impl Fn(&mut Sequence, bool) -> Table,
    rows: impl for<'t> Fn(&'t Table) -> Rows<'t>,
) -> (f64, [f64; N_CLASSES]) {
    let (mut sum, mut of_class) = (0.0, [(0.0, 0.0); N_CLASSES]);
    for table in 0..N_TABLES {
        let mut random = Philox::new(11, table, 0).sequence(0, 0);
        let (known, new) = (draw(&mut random, false), draw(&mut random, true));
        let sets = rows(&known).calibrate(options).unwrap();
        let scores = new.rows().score(&sets).unwrap();
        sum += scores.coverage / f64::from(N_TABLES);
        for (sums, class) in of_class.iter_mut().zip(&scores.per_class) {
            *sums = (
                sums.0 + class.coverage.unwrap_or_default() * class.n_samples as f64,
                sums.1 + class.n_samples as f64,
            );
        }
    }
    (sum, of_class.map(|(covered, n)| covered / n))
}

/// `n` known rows, or many new ones, that are alike.
fn alike(n: usize) -> impl Fn(&mut Sequence, bool) -> Table {
    move |random, is_new| {
        let mut table = Table::default();
        for _ in 0..if is_new { N_NEW } else { n } {
            let doubt = random.uniform();
            table.add(random, doubt);
        }
        table
    }
}

#[test]
fn all_classes_together_are_covered_with_the_level() {
    // The standard error of the mean is 0.003 at most, with 0.02 between tables of 99 rows and 0.03 within.
    for (level, n) in [(0.9, 99), (0.8, 99), (0.5, 99), (0.9, 19)] {
        let (coverage, _) = mean_coverage(Options::new(level).unwrap(), alike(n), Table::rows);
        // The finite-sample quantile covers k / (n + 1).
        let expected = ((n as f64 + 1.0) * level - 1e-9).ceil() / (n as f64 + 1.0);
        assert!((coverage - expected).abs() < 0.01, "{level} with {n} rows: {coverage}, expected {expected}");
    }
}

#[test]
fn each_class_is_covered_by_itself_on_request() {
    let options = Options::new(0.8).unwrap();
    let (_, together) = mean_coverage(options, alike(199), Table::rows);
    let (_, each) = mean_coverage(options.by_class(), alike(199), Table::rows);
    assert!(together.iter().any(|coverage| (coverage - 0.8).abs() > 0.04), "{together:?}");
    // The rarest has about 20 rows, whose quantile covers 0.8 to 0.8 + 1 / 21.
    assert!(each.iter().all(|coverage| (0.785..0.845).contains(coverage)), "{each:?}");
}

#[test]
fn weights_carry_the_level_over_to_the_rows_that_they_weigh() {
    // Known rows are easy or hard with 50:50; the new ones are hard with 4:1, which the weights say.
    let draw = |random: &mut Sequence, is_new: bool| {
        let mut table = Table::default();
        for _ in 0..if is_new { N_NEW } else { 299 } {
            let is_hard = random.uniform() < if is_new { 0.8 } else { 0.5 };
            table.add(random, if is_hard { 1.0 } else { 0.3 }).weights.push(if is_hard { 4.0 } else { 1.0 });
        }
        table
    };
    let options = Options::new(0.8).unwrap();
    let (plain, _) = mean_coverage(options, draw, Table::rows);
    let (weighted, _) = mean_coverage(options, draw, |table| table.rows().weighted(Some(&table.weights)));
    assert!(plain < 0.76, "{plain}");
    assert!((0.795..0.82).contains(&weighted), "{weighted}");
}

#[test]
fn rows_of_a_new_group_are_covered_with_the_level() {
    // Groups of very different sizes: the large ones are easy.
    let draw = |random: &mut Sequence, is_new: bool| {
        let mut table = Table::default();
        for group in 0..if is_new { N_NEW } else { 60 } {
            let is_large = random.uniform() < 0.3;
            let doubt = if is_large { 0.3 } else { 0.6 + 0.4 * random.uniform() };
            // One row of a new group, so that each group counts alike.
            for _ in 0..if is_large && !is_new { 20 } else { 1 } {
                table.add(random, doubt).groups.push(group as u32);
            }
        }
        table
    };
    let options = Options::new(0.8).unwrap();
    let (plain, _) = mean_coverage(options, draw, Table::rows);
    let (grouped, _) = mean_coverage(options, draw, |table| table.rows().grouped(Some(&table.groups)));
    assert!(plain < 0.7, "{plain}");
    assert!((0.79..0.825).contains(&grouped), "{grouped}");
}
