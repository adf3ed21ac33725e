//! The quantiles of the normal distribution.

use crate::graph::{Binary, Graph, Unary, Var};

/// Coefficients of the numerator and the denominator of a rational function, the constants first.
type Rational = [[f64; 8]; 2];

/// For probabilities from .075 to .925, of .425^2 - (p - .5)^2.
const CENTRE: Rational = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];

/// For smaller and larger ones, down to exp(-25), of sqrt(-ln p) - 1.6.
const TAIL: Rational = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

/// The number below which a standard normal variable lies with probability `p`, to 1e-15 of it, for `p` at least exp(-25) away
/// from 0 and 1 (Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37, 1988).
pub(super) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.425 * 0.425 - q * q);
    }
    let tail = p.min(1.0 - p);
    ratio(&TAIL, (-tail.ln()).sqrt() - 1.6).copysign(q)
}

fn ratio([above, below]: &Rational, r: f64) -> f64 {
    let sum = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * r + c);
    sum(above) / sum(below)
}

/// The same as operations of a graph, of shares in double precision.
pub(super) fn graph(graph: &mut Graph, p: Var) -> Var {
    let q = graph.with(Binary::Sub, p, &[0.5]);
    let [square, zero, one] = [graph.binary(Binary::Mul, q, q), graph.row(q, &[0.0]), graph.row(q, &[1.0])];
    let bound = graph.row(q, &[0.425 * 0.425]);
    let r = graph.binary(Binary::Sub, bound, square);
    let ratio = ratio_graph(graph, &CENTRE, r);
    let centre = graph.binary(Binary::Mul, q, ratio);
    let rest = graph.binary(Binary::Sub, one, p);
    let tail = graph.binary(Binary::Min, p, rest);
    let log = graph.unary(Unary::Log, tail);
    let log = graph.binary(Binary::Sub, zero, log);
    let root = graph.unary(Unary::Sqrt, log);
    let r = graph.with(Binary::Sub, root, &[1.6]);
    let size = ratio_graph(graph, &TAIL, r);
    let sign = graph.unary(Unary::Sign, q);
    let outer = graph.binary(Binary::Mul, size, sign);
    let is_central = graph.binary(Binary::AtMost, square, bound);
    graph.select(is_central, centre, outer)
}

fn ratio_graph(graph: &mut Graph, [above, below]: &Rational, r: Var) -> Var {
    let mut sum = |coefficients: &[f64; 8]| {
        let mut sum = graph.row(r, &coefficients[7..]);
        for coefficient in coefficients[..7].iter().rev() {
            let product = graph.binary(Binary::Mul, sum, r);
            sum = graph.with(Binary::Add, product, &[*coefficient]);
        }
        sum
    };
    let (above, below) = (sum(above), sum(below));
    graph.binary(Binary::Div, above, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // scipy.stats.norm.ppf, version 1.17.1.
        for (p, expected) in NUMBERS {
            assert!((quantile(p) - expected).abs() <= 4e-15 * expected.abs(), "{p}: {}", quantile(p));
            assert!((quantile(1.0 - p) + expected).abs() <= 1e-8, "{p}");
        }
        assert_eq!(quantile(0.5), 0.0);
    }

    const NUMBERS: [(f64, f64); 6] = [
        (1e-07, -5.1993375821928165),
        (0.0001, -3.7190164854556804),
        (0.01, -2.3263478740408408),
        (0.075, -1.4395314709384563),
        (0.25, -0.6744897501960817),
        (0.4375, -0.1573106846101707),
    ];
}
