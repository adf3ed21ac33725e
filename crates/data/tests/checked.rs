//! The findings of inspections, in snapshots.

use crate::csv;
use headsmith_data::checks::{fingerprint, inspect};
use headsmith_data::{Finding, Severity, Table};
use headsmith_kernels::Pool;

fn findings(tables: &[(&str, &Table)]) -> String {
    let line = |finding: &Finding| {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        format!("{severity} [{}] {finding} (count {})\n", finding.code, finding.count)
    };
    inspect(tables, &Pool::inline()).iter().map(line).collect()
}

#[test]
fn within_a_table() {
    // Column 2 is constant, column 4 equals column 1; lines 4 and 6 repeat line 2, line 6 with another label.
    let text = "embeddings,label\n\"[1,2,0,1]\",a\n\"[3,2,1,3]\",b\n\"[1,2,0,1]\",a\n\"[-3,2,1,-3]\",b\n\"[1,2,0,1]\",b\n";
    insta::assert_snapshot!(findings(&[("train", &csv(text).unwrap())]));
}

#[test]
fn a_clean_table_has_only_notes() {
    let table = csv("embeddings,label\n\"[1,2]\",a\n\"[3,4]\",b\n\"[5,5]\",a\n").unwrap();
    assert!(inspect(&[("train", &table)], &Pool::inline()).iter().all(|f| f.severity == Severity::Note));
}

#[test]
fn classes_and_balance() {
    let rows = |label: &str, n: usize, start: usize| -> String {
        (start..start + n).map(|i| format!("\"[{i},{}]\",{label}\n", i * i % 7)).collect()
    };
    let text = format!(
        "embeddings,label\n{}{}{}",
        rows("common", 60, 0),
        rows("usual", 40, 100),
        rows("rare", 2, 200)
    );
    insta::assert_snapshot!(findings(&[("train", &csv(&text).unwrap())]));
    let one = csv("embeddings,label\n\"[1,2]\",a\n\"[3,4]\",a\n").unwrap();
    insta::assert_snapshot!(findings(&[("train", &one)]));
}

#[test]
fn between_tables() {
    let train = csv(
        "embeddings,label\n\"[1,2]\",positive\n\"[3,4]\",negative\n\"[5,6]\",neutral\n\"[0.0,1]\",neutral\n",
    )
    .unwrap();
    let val = csv("embeddings,label\n\"[9,9]\",Positive\n\"[3,4]\",negative\n\"[7,7]\",negativ\n\"[-0.0,1]\",negative\n").unwrap();
    let test = csv("embeddings,label\n\"[9,9]\",x\n\"[5,6]\",x\n").unwrap();
    insta::assert_snapshot!(findings(&[("train", &train), ("val", &val), ("test", &test)]));
}

#[test]
fn tables_of_another_shape() {
    let train = csv("f0,f1,label\n1,2,a\n3,4,b\n").unwrap();
    let swapped = csv("f1,f0,label\n2,1,a\n5,3,b\n").unwrap();
    let wide = csv("embeddings,label\n\"[1,2,3]\",a\n\"[3,4,4]\",b\n").unwrap();
    insta::assert_snapshot!(findings(&[("train", &train), ("val", &swapped), ("test", &wide)]));
}

#[test]
fn a_fingerprint_distinguishes_content() {
    let texts = [
        "embeddings,label\n\"[1,2]\",a\n\"[3,4]\",b\n",
        "embeddings,label\n\"[1,2]\",a\n\"[3,5]\",b\n",
        "embeddings,label\n\"[3,4]\",b\n\"[1,2]\",a\n",
        "embeddings,label\n\"[1,2]\",b\n\"[3,4]\",a\n",
        "embeddings\n\"[1,2]\"\n\"[3,4]\"\n",
        "embeddings\n\"[1,2,3,4]\"\n",
    ];
    let mut prints: Vec<String> = texts.iter().map(|text| fingerprint(&csv(text).unwrap())).collect();
    assert!(prints.iter().all(|print| print.len() == 32));
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), texts.len());
}

/// A nearly normal number: the sum of hashed uniforms.
fn noise(i: usize, j: usize) -> f64 {
    let uniform = |k: usize| {
        let mut h = (i * 1_000_003 + j * 10_007 + k * 101) as u64 ^ 0x9E37_79B9_7F4A_7C15;
        h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (h >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(uniform).sum::<f64>() - 6.0
}

/// 300 rows around three centres in eight columns, and the columns `more`.
fn blobs(more: &str, cells: impl Fn(usize) -> String) -> Table {
    let names: String = (0..8).map(|j| format!("f{j},")).collect();
    let row = |i: usize| {
        let class = i * 7 % 3;
        let x: String =
            (0..8).map(|j| format!("{:.4},", f64::from(u8::from(j % 3 == class)) + noise(i, j))).collect();
        format!("{x}{},{}\n", cells(i), ["negative", "neutral", "positive"][class])
    };
    csv(&format!("{names}{more},label\n{}", (0..300).map(row).collect::<String>())).unwrap()
}

#[test]
fn label_leaks_and_identifiers_are_reported() {
    let class = |i: usize| i * 7 % 3;
    let table = blobs("label_id,score,nr,patient,time,other_f,level", |i| {
        // A score that is right nine times in ten, and an ordinary feature.
        let score = if i % 10 == 0 { 5.0 } else { class(i) as f64 };
        let unique = i * 7919 % 104_729;
        let (fine, level) = (noise(i, 77), i * 31 % 5);
        format!(
            "{},{:.2},{unique},{},{},{fine:.3},{level}",
            class(i) * 2,
            score + 0.1 * noise(i, 9),
            i * 13 % 40,
            1000 + i / 2
        )
    });
    let found = inspect(&[("train", &table), ("val", &table)], &Pool::inline());
    let found =
        found.iter().filter(|f| ["label-leak", "identifier-column", "label-as-feature"].contains(&f.code));
    insta::assert_snapshot!(found.map(|finding| format!("{finding}\n")).collect::<String>());
}

#[test]
fn a_column_that_equals_the_label_is_an_error() {
    let rows: String =
        (0..60).map(|i| format!("{},{:.3},{},{}\n", noise(i, 1), noise(i, 2), i % 3, i % 3)).collect();
    let table = csv(&format!("f0,f1,copy,label\n{rows}")).unwrap();
    let found = inspect(&[("train", &table)], &Pool::inline());
    let copy = found.iter().find(|finding| finding.code == "label-as-feature").unwrap();
    assert_eq!(copy.severity, Severity::Error);
    assert!(copy.message.contains("\"copy\"") && copy.message.ends_with("--drop copy"), "{copy}");
}

#[test]
fn ordinary_features_raise_no_suspicion() {
    let few = |i: usize| format!("{},{},{:.1}", (noise(i, 50) * 40.0) as i32, i * 31 % 256, noise(i, 51));
    let findings = inspect(&[("train", &blobs("int8,byte,rounded", few))], &Pool::inline());
    assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{findings:?}");
}

#[test]
fn labels_that_are_no_classes_are_reported() {
    let labelled = |label: &dyn Fn(usize) -> String| {
        let rows: String =
            (0..60).map(|i| format!("{:.3},{:.3},{}\n", noise(i, 1), noise(i, 2), label(i))).collect();
        findings(&[("train", &csv(&format!("f0,f1,target\n{rows}")).unwrap())])
    };
    let texts = [
        labelled(&|i| format!("{:.4}", noise(i, 3))),
        labelled(&|i| format!("name {i}")),
        labelled(&|i| ["a", "b", "a;b", "b;c", "c", "a;c"][i % 6].to_owned()),
        labelled(&|i| {
            if i == 7 { "odd".to_owned() } else { ["a, b", "c"][i % 2].to_owned() }.replace(',', "-")
        }),
        labelled(&|i| format!("{}", i * 7 + 1000)),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}

/// In every file format.
#[test]
fn a_regression_target_is_reported_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let target: Vec<f32> = (0..40).map(|i| noise(i, 5) as f32).collect();
    let rows: String =
        (0..40).map(|i| format!("{{\"f0\": {:.3}, \"target\": {:?}}}\n", noise(i, 6), target[i])).collect();
    let lines: String = target.iter().map(|value| format!("{value:?}\n")).collect();
    let npy = |shape: &str, values: &[f32]| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &bytes].concat()
    };
    std::fs::write(at("rows.jsonl"), rows).unwrap();
    std::fs::write(at("x.npy"), npy("(40, 1)", &target)).unwrap();
    std::fs::write(at("y.npy"), npy("(40,)", &target)).unwrap();
    std::fs::write(at("z.txt"), lines).unwrap();
    let beside = headsmith_data::Files::from(at("x.npy")).with_labels(Some(at("z.txt").into()));
    let files = [
        at("rows.jsonl").into(),
        at("x.npy").into(),
        beside,
        crate::data("regression.parquet").into(),
        crate::data("regression.arrow").into(),
    ];
    for files in files {
        let table =
            headsmith_data::read_files(&files, &headsmith_data::ReadOptions::default(), &Pool::inline());
        let findings = inspect(&[("train", &table.unwrap())], &Pool::inline());
        assert!(findings.iter().any(|finding| finding.code == "regression-target"), "{files}: {findings:?}");
    }
}
