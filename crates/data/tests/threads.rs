//! The same table, warnings and error for any number of threads.

use headsmith_data::checks::{fingerprint, inspect};
use headsmith_data::{OnBadRow, ReadOptions, read_bytes};
use headsmith_kernels::{Philox, Pool};

/// A CSV with pieces for many windows, some bad rows, blank lines and line ends in lists.
fn large() -> String {
    let mut random = Philox::new(7, 0, 0).sequence(0, 0);
    let mut text = "id,embeddings,label\n".to_owned();
    for row in 0..3000 {
        let value = |random: u32| f64::from(f32::from_bits(random & 0x3FFF_FFFF | 0x2000_0000));
        let mut list: Vec<String> = (0..128).map(|_| format!("{:?}", value(random.next_u32()))).collect();
        if row % 997 == 500 {
            list[row % 128] = "nan".to_owned();
        }
        let separator = if row % 50 == 3 { ",\n" } else { ", " };
        text.push_str(&format!("{row},\"[{}]\",{}\n", list.join(separator), ["x", "yy", "z "][row % 3]));
        if row % 700 == 1 {
            text.push('\n');
        }
    }
    text
}

#[test]
fn any_number_of_threads_reads_the_same() {
    let text = large();
    assert!(text.len() > 4 << 20, "more than one window: {}", text.len());
    let read = |n_threads, on_bad_row| {
        let options = ReadOptions { on_bad_row, ..ReadOptions::default() };
        let pool = Pool::new(n_threads).unwrap();
        read_bytes("large.csv", text.as_bytes(), &options, &pool).map(|table| {
            let findings = inspect(&[("train", &table)], &pool);
            let lines: Vec<_> = (0..table.n_rows()).map(|row| table.location(row)).collect();
            (fingerprint(&table), table.warnings().to_vec(), findings, lines)
        })
    };
    let one = read(1, OnBadRow::Skip).unwrap();
    assert_eq!(one.3.len(), 2997);
    let error = read(1, OnBadRow::Error).unwrap_err().to_string();
    assert!(error.contains("element 117"), "{error}");
    for n_threads in [2, 3, 8] {
        assert_eq!(read(n_threads, OnBadRow::Skip).unwrap(), one);
        assert_eq!(read(n_threads, OnBadRow::Error).unwrap_err().to_string(), error);
    }
}

/// Reading in windows gives the same rows as reading line by line.
#[test]
fn windows_cut_nothing() {
    let text = large();
    let options = ReadOptions { on_bad_row: OnBadRow::Skip, ..ReadOptions::default() };
    let table = read_bytes("large.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for row in (0..table.n_rows()).step_by(17) {
        let line = table.location(row).line.unwrap() as usize - 1;
        let rest = lines[line..].join("\n");
        let list = &rest[rest.find('[').unwrap() + 1..rest.find(']').unwrap()];
        let expected: Vec<f32> = list.split(',').map(|value| value.trim().parse().unwrap()).collect();
        assert_eq!(table.x().row(row), expected, "row {row}");
    }
}
