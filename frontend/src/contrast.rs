//! Recomputes the contrasts that `style/00-tokens.css` promises (WCAG 2.2, 1.4.3 and 1.4.11).

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("../style/00-tokens.css");

/// Text and icons that carry meaning, and what they stand on.
const TEXT: [(&str, &[&str]); 15] = [
    (
        "ink",
        &["canvas", "sunken", "surface", "hover", "accent-soft", "ok-soft", "warning-soft", "error-soft", "info-soft"],
    ),
    ("ink-2", &["canvas", "sunken", "surface", "hover", "ok-soft", "warning-soft", "error-soft", "info-soft"]),
    ("ink-3", &["canvas", "sunken", "surface", "hover"]),
    (
        "accent",
        &["canvas", "sunken", "surface", "hover", "accent-soft", "ok-soft", "warning-soft", "error-soft", "info-soft"],
    ),
    ("accent-strong", &["canvas", "sunken", "surface", "hover", "accent-soft"]),
    ("on-accent", &["accent", "accent-strong"]),
    ("on-error", &["error"]),
    ("ok", &["canvas", "surface", "hover", "ok-soft"]),
    ("warning", &["canvas", "surface", "hover", "warning-soft"]),
    ("error", &["canvas", "surface", "hover", "error-soft"]),
    ("info", &["canvas", "surface", "hover", "info-soft"]),
    ("canvas", &["ink"]),
    ("ink", &["error-soft"]),
    ("ink-2", &["canvas"]),
    ("ink-3", &["surface"]),
];

const CONTROLS: [&str; 3] = ["canvas", "sunken", "surface"];

#[test]
fn colours_can_be_told_apart() {
    for selector in
        [":root, :root[data-theme=\"light\"] {", ":root:not([data-theme]) {", ":root[data-theme=\"dark\"] {"]
    {
        let theme = tokens(selector);
        for (text, grounds) in TEXT {
            for ground in grounds {
                check(&theme, text, ground, 4.5, selector);
            }
        }
        for ground in CONTROLS {
            check(&theme, "border-strong", ground, 3.0, selector);
            for series in 1..=8 {
                check(&theme, &format!("chart-{series}"), ground, 3.0, selector);
            }
        }
    }
}

#[test]
fn both_ways_to_the_dark_theme_lead_to_the_same_colours() {
    assert_eq!(tokens(":root:not([data-theme]) {"), tokens(":root[data-theme=\"dark\"] {"));
}

fn check(theme: &BTreeMap<String, [f64; 3]>, text: &str, ground: &str, least: f64, selector: &str) {
    let ratio = ratio(theme[text], theme[ground]);
    assert!(ratio >= least, "{selector} --{text} on --{ground} is {ratio:.2}:1, not {least}:1");
}

fn tokens(selector: &str) -> BTreeMap<String, [f64; 3]> {
    let (_, rest) = TOKENS.split_once(selector).expect(selector);
    let (block, _) = rest.split_once('}').expect(selector);
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let value = value.trim_end_matches(';');
        let part = |at: usize| u8::from_str_radix(value.get(at..at + 2)?, 16).ok().map(|part| f64::from(part) / 255.0);
        Some((name.to_owned(), [part(0)?, part(2)?, part(4)?]))
    };
    block.lines().filter_map(colour).collect()
}

fn ratio(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}
