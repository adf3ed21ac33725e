//! The trials that count, in columns. Finished trials do not change, so the table is kept from one suggestion to the
//! next and only extended; its content is a function of the history alone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::distribution::Distribution;
use crate::samplers::History;
use crate::trial::{Direction, Params, Trial};

use super::density::Density;
use super::kernels::{Kernels, Values};
use super::observed::{Rank, rank};

/// The table kept between suggestions.
#[derive(Debug, Default)]
pub(super) struct TableCache(Mutex<Table>);

/// A clone starts with an empty cache.
impl Clone for TableCache {
    fn clone(&self) -> TableCache {
        TableCache::default()
    }
}

impl TableCache {
    /// Calls `f` with the table of this history.
    pub(super) fn with<T>(
        &self,
        history: History<'_>,
        with_running: bool,
        f: impl FnOnce(&mut Table) -> T,
    ) -> T {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.update(history, with_running);
        f(&mut table)
    }
}

/// The rows are the trials that count: finished ones first, then running ones.
#[derive(Debug, Default)]
pub(super) struct Table {
    direction: Option<Direction>,
    /// All finished trials of the history, counting or not.
    shown: Vec<Arc<Trial>>,
    /// For each finished row, its index in `shown` and its rank.
    finished: Vec<(u32, Rank)>,
    running: Vec<(u64, Params)>,
    /// Rows in the order of the trials' numbers.
    pub(super) in_order: Vec<u32>,
    columns: Vec<Column>,
}

/// More columns than this are not kept: an objective may ask for a parameter with another range in every trial.
const MANY_COLUMNS: usize = 256;

/// One parameter with one distribution.
#[derive(Debug)]
struct Column {
    name: String,
    distribution: Distribution,
    /// Whether all finished trials have it.
    shared: bool,
    /// The number of finished rows that have it.
    n_finished: usize,
    /// By row, on the scale on which values are drawn; NaN if missing.
    values: Vec<f64>,
    /// By row, the width and the norm of the kernel last computed there.
    known: Vec<(f64, f64)>,
    /// The finished rows that have a value, sorted by value; of equal values the earlier row comes first.
    order: Vec<u32>,
}

impl Table {
    fn update(&mut self, history: History<'_>, with_running: bool) {
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
        if self.columns.len() > MANY_COLUMNS {
            self.columns.retain(|column| column.shared);
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

    /// Columns for the parameters of the first trial, except those with a single value.
    fn first_columns(&self) -> Vec<Column> {
        let Some((first, _)) = self.finished.first() else { return Vec::new() };
        let params = self.shown[*first as usize].params.iter();
        let params = params.filter(|(_, (distribution, _))| !distribution.is_single());
        params.map(|(name, (distribution, _))| Column::new(name, distribution, true)).collect()
    }

    /// Extends a column to all rows of the table.
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

    /// The rank of a trial; `None` if it is running.
    pub(super) fn rank(&self, row: u32) -> Option<Rank> {
        self.finished.get(row as usize).map(|(_, rank)| *rank)
    }

    /// The columns of the parameters that all finished trials have with the same distribution, sorted by name, except
    /// those with a single value.
    pub(super) fn shared(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&at| self.columns[at].shared).collect()
    }

    /// The column of a parameter.
    pub(super) fn column(&mut self, name: &str, distribution: &Distribution) -> usize {
        let there = |column: &Column| column.name == name && column.distribution == *distribution;
        if let Some(at) = self.columns.iter().position(there) {
            return at;
        }
        // A column added later is not shared: the first trial decides which are.
        self.columns.push(Column::new(name, distribution, false));
        self.extend(self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// The name and the distribution of a column.
    pub(super) fn param(&self, column: usize) -> (&str, &Distribution) {
        (&self.columns[column].name, &self.columns[column].distribution)
    }

    /// The density around those of the trials that have all of the parameters. `rows` are in the order of their
    /// numbers.
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

/// Marks a row that is not part of the density.
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

    /// Adds an internal value. A value outside the domain of its scale becomes missing: a database may contain what
    /// the distribution forbids.
    fn push(&mut self, value: f64) {
        let value = match &self.distribution {
            Distribution::Categorical { .. } if !self.distribution.contains(value) => f64::NAN,
            Distribution::Categorical { .. } => value,
            numbers => {
                let value = if numbers.is_log() { value.ln() } else { value };
                // Adding 0 turns -0 into 0.
                if value.is_finite() { value + 0.0 } else { f64::NAN }
            }
        };
        self.values.push(value);
        self.known.push((f64::NAN, 0.0));
    }

    /// Sorts the finished rows `first ..` into the order.
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

    /// The kernels around the values of `rows`; `places[row]` is the index of a row among them.
    fn kernels(&mut self, rows: &[u32], places: &[u32]) -> Kernels {
        // Room for one more: the prior.
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

/// Inserts an index at its value's position; of equal values the smaller index comes first.
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
    fn values_outside_the_domain_are_missing() {
        let log = Distribution::Float { low: 0.1, high: 1.0, log: true, step: None };
        let categorical = Distribution::Categorical { choices: vec![Choice::Int(0), Choice::Int(1)] };
        let pushed = |value: f64, distribution: &Distribution| {
            let mut column = Column::new("p", distribution, false);
            column.push(value);
            column.values[0]
        };
        for (value, distribution) in
            [(0.0, &log), (f64::INFINITY, &log), (2.0, &categorical), (-1.0, &categorical)]
        {
            assert!(pushed(value, distribution).is_nan());
        }
        assert_eq!((pushed(5.0, &log), pushed(1.0, &categorical)), (5f64.ln(), 1.0));
    }
}
