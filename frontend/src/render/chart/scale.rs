//! Where numbers lie in a drawing. Nothing here touches the browser, so that it is tested natively.

use std::fmt::Write;

/// The least and the most of the numbers; none where there is no number.
pub(super) fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |bounds, value| {
        let (least, most) = bounds.unwrap_or((value, value));
        Some((least.min(value), most.max(value)))
    })
}

/// Bounds of an axis that numbers between these fit on: 0 is on it, and both ends are round.
pub(super) fn axis(least: f64, most: f64) -> (f64, f64) {
    let (least, most) = (least.min(0.0), most.max(0.0));
    let span = most - least;
    if span <= 0.0 {
        return (0.0, 1.0);
    }
    let step = round_up(span / 4.0);
    ((least / step).floor() * step, (most / step).ceil() * step)
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let digit = value / power;
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|round| digit <= *round + 1e-9).unwrap_or(10.0);
    round * power
}

/// How high a number lies, from the upper edge.
pub(super) fn height(value: f64, least: f64, most: f64, height: f64, margin: f64) -> f64 {
    let share = if most > least { (value - least) / (most - least) } else { 0.5 };
    margin + (1.0 - share.clamp(0.0, 1.0)) * (height - 2.0 * margin)
}

/// A line through points at equal distances, as SVG writes it; it breaks off where there is no number.
pub(super) fn path(values: &[Option<f64>], least: f64, most: f64, width: f64, tall: f64, margin: f64) -> String {
    let step = if values.len() > 1 { width / (values.len() - 1) as f64 } else { 0.0 };
    let mut path = String::new();
    let mut is_down = false;
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            is_down = false;
            continue;
        };
        let x = if values.len() > 1 { index as f64 * step } else { width / 2.0 };
        let y = height(value, least, most, tall, margin);
        let command = if is_down { 'L' } else { 'M' };
        // Writing to a String does not fail.
        let _ = write!(path, "{command}{x:.1} {y:.1}");
        let stands_alone = !is_down && values.get(index + 1).copied().flatten().is_none();
        if stands_alone {
            let _ = write!(path, "h0.01");
        }
        is_down = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for ((least, most), expected) in [
            ((3.0, 17.0), (0.0, 20.0)),
            ((-3.0, 5.0), (-4.0, 6.0)),
            ((0.0, 0.0), (0.0, 1.0)),
            ((0.0, 1_000_000.0), (0.0, 1_000_000.0)),
            ((0.2, 0.31), (0.0, 0.4)),
        ] {
            let (low, high) = axis(least, most);
            assert!((low - expected.0).abs() < 1e-9 && (high - expected.1).abs() < 1e-9, "{low} {high}");
        }
    }

    #[test]
    fn lines_break_off_where_there_is_no_number() {
        let check = |values: &[Option<f64>], expected: &str| {
            assert_eq!(path(values, 0.0, 10.0, 100.0, 10.0, 0.0), expected, "{values:?}");
        };
        check(&[Some(0.0), Some(10.0), Some(5.0)], "M0.0 10.0L50.0 0.0L100.0 5.0");
        check(&[Some(0.0), None, Some(5.0)], "M0.0 10.0h0.01M100.0 5.0h0.01");
        check(&[Some(5.0)], "M50.0 5.0h0.01");
        check(&[], "");
        check(&[Some(f64::NAN)], "");
    }

    #[test]
    fn bounds_leave_out_what_is_no_number() {
        assert_eq!(bounds([3.0, f64::INFINITY, -1.0].into_iter()), Some((-1.0, 3.0)));
        assert_eq!(bounds([f64::NAN].into_iter()), None);
    }
}
