//! Values in place of values: years a few off, numbers of the same format, releases around a release.

use super::super::property::NUMBER_WORDS;
use super::super::text::is_currency;
use super::seen::value;

/// Days that every one of the months has.
pub(super) const MONTH_DAYS: [u8; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The day in "31" or "6th".
pub(super) fn day_of_month(word: &str) -> Option<u8> {
    let day = word.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h']);
    day.parse().ok().filter(|day| (1..=31).contains(day))
}

pub(super) fn other_years(year: &str) -> Vec<String> {
    let year: i32 = year.parse().unwrap_or(2000);
    [-1, 1, -2, 2, -3, 3, -4, 4, -5, 5]
        .iter()
        .map(|by| (year + by).to_string())
        .collect()
}

/// For "3.1" after a name: the releases around it.
pub(super) fn other_versions(written: &str) -> Option<Vec<String>> {
    let (major, minor) = written.split_once('.')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    let mut others = vec![
        format!("{major}.{}", minor + 1),
        format!("{}.{minor}", major + 1),
    ];
    if major > 1 {
        others.push(format!("{}.{minor}", major - 1));
    }
    others.push(format!("{major}.{}", minor + 2));
    Some(others)
}

pub(super) fn other_numbers(written: &str) -> Vec<String> {
    let lower = written.to_lowercase();
    if let Some(at) = NUMBER_WORDS.iter().position(|w| *w == lower) {
        let others = [at + 1, at.saturating_sub(1), at + 2, at + 3];
        return others
            .iter()
            .filter(|&&i| i >= 2 && i != at)
            .filter_map(|&i| NUMBER_WORDS.get(i))
            .map(|w| (*w).to_owned())
            .collect();
    }
    let Some(value) = value(&lower) else {
        return Vec::new();
    };
    let decimals = written
        .rsplit_once('.')
        .map_or(0, |(_, d)| d.chars().filter(char::is_ascii_digit).count());
    let figures: String = written.chars().filter(char::is_ascii_digit).collect();
    let zeros = figures.len() - figures.trim_end_matches('0').len();
    let grain = if decimals > 0 {
        10_f64.powi(-i32::try_from(decimals).unwrap_or(0))
    } else {
        10_f64.powi(i32::try_from(zeros.min(9)).unwrap_or(0))
    };
    let factors = [1.15, 0.85, 1.4, 0.6, 1.9, 2.5];
    let mut others = Vec::new();
    for factor in factors {
        let mut other = (value * factor / grain).round() * grain;
        if (other - value).abs() < grain / 2.0 {
            other = value + grain * if factor > 1.0 { 1.0 } else { -1.0 };
        }
        if other <= 0.0 || written.ends_with('%') && value <= 100.0 && other > 100.0 {
            continue;
        }
        let text = formatted(written, other, decimals);
        if !others.contains(&text) {
            others.push(text);
        }
    }
    others
}

/// `value` with the signs, separators and decimals of `written`.
fn formatted(written: &str, value: f64, decimals: usize) -> String {
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain
        .split_once('.')
        .map_or((plain.as_str(), ""), |(w, f)| (w, f));
    let mut text: String = written.chars().take_while(|c| is_currency(*c)).collect();
    let grouped = written.contains(',') || figures(written) < 4 && whole.len() > 3;
    for (i, c) in whole.chars().enumerate() {
        if grouped && i > 0 && (whole.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(c);
    }
    if decimals > 0 {
        text.push('.');
        text.push_str(fraction);
    }
    if written.ends_with('%') {
        text.push('%');
    }
    text
}

fn figures(written: &str) -> usize {
    let whole = written.split('.').next().unwrap_or_default();
    whole.chars().filter(char::is_ascii_digit).count()
}
