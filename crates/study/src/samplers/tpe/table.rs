//! The trials that count, by columns. Finished trials do not change, so what was laid out for one suggestion is there for
//! the next one, which sees some more: the table is kept, and what it says is a function of the history alone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::distribution::Distribution;
use crate::samplers::History;
use crate::trial::{Direction, Params, Trial};

use super::density::Density;
use super::kernels::{Kernels, Values};
use super::observed::{Rank, rank};

/// A table between suggestions.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Table>);

/// What is kept is of no account: a copy begins anew.
impl Clone for Memory {
    fn clone(&self) -> Memory {
        Memory::default()
    }
}

impl Memory {
    /// Calls `f` with the table of this history.
    pub(super) fn with<T>(
        &self,
        history: History<'_>,
        with_running: bool,
        f: impl FnOnce(&mut Table) -> T,
    ) -> T {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.show(history, with_running);
        f(&mut table)
    }
}

/// Rows are the trials that count: finished ones first, then those under way.
#[derive(Debug, Default)]
pub(super) struct Table {
    direction: Option<Direction>,
    /// All finished trials that were shown, counting or not.
    shown: Vec<Arc<Trial>>,
    /// Of the finished rows: the place in `shown`, and the rank.
    finished: Vec<(u32, Rank)>,
    running: Vec<(u64, Params)>,
    /// Rows in the order of the trials' numbers.
    pub(super) in_order: Vec<u32>,
    columns: Vec<Column>,
}

/// One parameter with one distribution.
#[derive(Debug)]
struct Column {
    name: String,
    distribution: Distribution,
    /// Whether all finished trials have it.
    shared: bool,
    /// So many finished rows it has.
    n_finished: usize,
    /// By row, on the scale on which values are drawn; NaN: not there.
    values: Vec<f64>,
    /// By row, the width of the kernel that stood there last, and its norm.
    known: Vec<(f64, f64)>,
    /// The finished rows that have a value, in the order of the values; of equals the earlier row comes first.
    order: Vec<u32>,
}

impl Table {
    fn show(&mut self, history: History<'_>, with_running: bool) {
        let n_shown = self.shown.len();
        let goes_on = self.direction == Some(history.direction)
            && n_shown <= history.finished.len()
            && self.shown.iter().zip(history.finished).all(|(a, b)| Arc::ptr_eq(a, b));
        if !goes_on {
            *self = Table { direction: Some(history.direction), ..Table::default() };
        }
        let n_finished = self.finished.len();
        for trial in &history.finished[self.shown.len()..] {
            if let Some(rank) = rank(trial, history.direction) {
                self.finished.push((self.shown.len() as u32, rank));
            }
            self.shown.push(trial.clone());
        }
        if n_finished == 0 {
            self.columns = self.first_columns();
        }
        let running = if with_running { history.running } else { &[] };
        self.running = running.to_vec();
        for at in 0..self.columns.len() {
            self.extend(at);
        }
        let n_rows = self.finished.len() + self.running.len();
        self.in_order = (0..n_rows as u32).collect();
        if !self.in_order.is_sorted_by_key(|&row| self.number(row)) {
            let mut in_order = std::mem::take(&mut self.in_order);
            in_order.sort_by_key(|&row| self.number(row));
            self.in_order = in_order;
        }
    }

    /// Columns for what the first trial has; those of a single value need none.
    fn first_columns(&self) -> Vec<Column> {
        let Some((first, _)) = self.finished.first() else { return Vec::new() };
        let params = self.shown[*first as usize].params.iter();
        let params = params.filter(|(_, (distribution, _))| !distribution.is_single());
        params.map(|(name, (distribution, _))| Column::new(name, distribution, true)).collect()
    }

    /// Brings a column up to the rows there are.
    fn extend(&mut self, at: usize) {
        let column = &mut self.columns[at];
        let n_known = column.n_finished;
        column.values.truncate(n_known);
        column.known.truncate(n_known);
        for (shown, _) in &self.finished[n_known..] {
            let param = self.shown[*shown as usize].params.get(&column.name);
            column.shared &= param.is_some_and(|(recorded, _)| recorded.same(&column.distribution));
            column.push(param.map_or(f64::NAN, |(_, value)| *value));
        }
        column.n_finished = self.finished.len();
        column.sort_from(n_known);
        for (_, params) in &self.running {
            column.push(params.get(&column.name).map_or(f64::NAN, |(_, value)| *value));
        }
    }

    pub(super) fn n_finished(&self) -> usize {
        self.finished.len()
    }

    /// A trial's number.
    pub(super) fn number(&self, row: u32) -> u64 {
        match self.finished.get(row as usize) {
            Some((shown, _)) => self.shown[*shown as usize].number,
            None => self.running[row as usize - self.finished.len()].0,
        }
    }

    /// How good a trial is; `None`: under way.
    pub(super) fn rank(&self, row: u32) -> Option<Rank> {
        self.finished.get(row as usize).map(|(_, rank)| *rank)
    }

    /// The columns of the parameters that all finished trials have with the same distribution, in the order of their
    /// names; without those of a single value.
    pub(super) fn shared(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&at| self.columns[at].shared).collect()
    }

    /// The column of a parameter.
    pub(super) fn column(&mut self, name: &str, distribution: &Distribution) -> usize {
        let there = |column: &Column| column.name == name && column.distribution == *distribution;
        if let Some(at) = self.columns.iter().position(there) {
            return at;
        }
        // It does not count as shared: which ones are is decided by the first trial.
        self.columns.push(Column::new(name, distribution, false));
        self.extend(self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// Name and distribution of a column.
    pub(super) fn param(&self, column: usize) -> (&str, &Distribution) {
        (&self.columns[column].name, &self.columns[column].distribution)
    }

    /// The density around those of the trials that have all of the parameters. `rows` are in the order of the numbers.
    pub(super) fn density(&mut self, columns: &[usize], rows: &[u32]) -> Density {
        let is_complete =
            |row: &u32| columns.iter().all(|&at| !self.columns[at].values[*row as usize].is_nan());
        let rows: Vec<u32> = rows.iter().copied().filter(is_complete).collect();
        let mut places = vec![NOWHERE; self.in_order.len()];
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
        let kernels = columns.iter().map(|&at| self.columns[at].kernels(&rows, &places)).collect();
        Density::of(kernels, rows.len())
    }
}

/// The place of a row that does not take part.
const NOWHERE: u32 = u32::MAX;

impl Column {
    fn new(name: &str, distribution: &Distribution, shared: bool) -> Column {
        Column {
            name: name.to_owned(),
            distribution: distribution.clone(),
            shared,
            n_finished: 0,
            values: Vec::new(),
            known: Vec::new(),
            order: Vec::new(),
        }
    }

    /// A value as it is inside. What nothing can stand around is not there: a database may hold what a distribution
    /// forbids.
    fn push(&mut self, value: f64) {
        let value = match &self.distribution {
            Distribution::Categorical { .. } if !self.distribution.contains(value) => f64::NAN,
            Distribution::Categorical { .. } => value,
            numbers => {
                let value = if numbers.is_log() { value.ln() } else { value };
                // Adding 0 makes one zero of two.
                if value.is_finite() { value + 0.0 } else { f64::NAN }
            }
        };
        self.values.push(value);
        self.known.push((f64::NAN, 0.0));
    }

    /// Puts the finished rows `first ..` in order.
    fn sort_from(&mut self, first: usize) {
        const MANY: usize = 16;
        if matches!(self.distribution, Distribution::Categorical { .. }) {
            return;
        }
        let new = (first..self.n_finished).filter(|&row| !self.values[row].is_nan()).map(|row| row as u32);
        if self.n_finished - first > MANY {
            self.order.extend(new);
            let values = &self.values;
            let key = |&row: &u32| values[row as usize];
            self.order.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
        } else {
            new.for_each(|row| insert(&mut self.order, row, &self.values));
        }
    }

    /// The kernels around the values of `rows`; `places[row]` is the place of a row among them.
    fn kernels(&mut self, rows: &[u32], places: &[u32]) -> Kernels {
        // One more for the prior.
        let mut values = Vec::with_capacity(rows.len() + 1);
        values.extend(rows.iter().map(|&row| self.values[row as usize]));
        let mut order = Vec::with_capacity(rows.len());
        if !matches!(self.distribution, Distribution::Categorical { .. }) {
            let ordered = self.order.iter().map(|&row| places[row as usize]);
            order.extend(ordered.filter(|&place| place != NOWHERE));
            let running = places[self.n_finished..].iter().filter(|&&place| place != NOWHERE);
            running.for_each(|&place| insert(&mut order, place, &values));
        }
        Kernels::around(Values { values, order, known: &mut self.known, rows }, &self.distribution)
    }
}

/// Puts an index where its value belongs; of equals the smaller index comes first.
fn insert(order: &mut Vec<u32>, index: u32, values: &[f64]) {
    let value = values[index as usize];
    let before = |&other: &u32| {
        let theirs = values[other as usize];
        theirs < value || (theirs == value && other < index)
    };
    order.insert(order.partition_point(before), index);
}

#[cfg(test)]
mod tests {
    use super::Column;
    use crate::distribution::{Choice, Distribution};

    #[test]
    fn what_no_kernel_can_stand_around_is_not_there() {
        let log = Distribution::Float { low: 0.1, high: 1.0, log: true, step: None };
        let words = Distribution::Categorical { choices: vec![Choice::Int(0), Choice::Int(1)] };
        let pushed = |value: f64, distribution: &Distribution| {
            let mut column = Column::new("p", distribution, false);
            column.push(value);
            column.values[0]
        };
        for (value, distribution) in [(0.0, &log), (f64::INFINITY, &log), (2.0, &words), (-1.0, &words)] {
            assert!(pushed(value, distribution).is_nan());
        }
        assert_eq!((pushed(5.0, &log), pushed(1.0, &words)), (5f64.ln(), 1.0));
    }
}
