//! What inspection finds, in words.

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
fn a_clean_table_has_notes_alone() {
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
fn a_fingerprint_tells_content_apart() {
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
