//! Bars by case, each with the limit that it has to stay below.

use super::{MARGIN, Picture, WIDTH, line, rect, text};

/// Bars of the same unit.
pub struct Group {
    pub title: String,
    /// The number at the right end of the scale.
    pub scale: f64,
    pub bars: Vec<Bar>,
}

/// A bar, from 0 to `value`.
pub struct Bar {
    pub label: String,
    pub value: f64,
    /// Where the line across its end begins and ends.
    pub spread: (f64, f64),
    /// None: it is only told.
    pub limit: Option<f64>,
    /// What stands in the last column.
    pub note: String,
}

const STYLE: &str = include_str!("bars.css");
const ROW: f64 = 26.0;
const THICKNESS: f64 = 14.0;
/// Where bars begin, and where they end at the end of the scale.
const LEFT: f64 = 216.0;
const RIGHT: f64 = 640.0;
/// Where the columns of the values, limits and notes end.
const VALUES: f64 = 702.0;
const LIMITS: f64 = 778.0;
const NOTES: f64 = WIDTH - MARGIN;

/// Draws groups of bars under a title and some lines of words; `note` is the head of the last column.
pub fn draw(title: &str, words: &[String], note: &str, groups: &[Group]) -> Picture {
    let mut elements = text(MARGIN, 36.0, "title", title);
    let mut y = 36.0;
    for words in words {
        y += 19.0;
        elements += &text(MARGIN, y, "soft", words);
    }
    for group in groups {
        y += 38.0;
        elements += &head(group, note, y);
        for bar in &group.bars {
            y += ROW;
            elements += &row(bar, group.scale, y);
        }
    }
    Picture { title: title.into(), height: y + MARGIN, style: STYLE, elements }
}

fn head(group: &Group, note: &str, y: f64) -> String {
    let right = |x, words| text(x, y, "soft right", words);
    let height = ROW * group.bars.len() as f64 + 4.0;
    let axis = line((LEFT, y + 6.0), (LEFT, y + 6.0 + height), "axis");
    let columns = [right(VALUES, "ratio"), right(LIMITS, "bar"), right(NOTES, note)];
    text(MARGIN, y, "head", &group.title) + &columns.concat() + &axis
}

fn row(bar: &Bar, scale: f64, y: f64) -> String {
    let place = |value: f64| LEFT + (RIGHT - LEFT) * (value / scale).min(1.0);
    let (top, middle) = (y - THICKNESS + 3.0, y - THICKNESS / 2.0 + 3.0);
    let is_missed = bar.limit.is_some_and(|limit| bar.value > limit);
    let class = if is_missed { "bar missed" } else { ["bar free", "bar"][usize::from(bar.limit.is_some())] };
    let mut row = text(LEFT - 10.0, y, "right", &bar.label);
    row += &rect(LEFT, top, place(bar.value) - LEFT, THICKNESS, class);
    row += &line((place(bar.spread.0), middle), (place(bar.spread.1), middle), "whisker");
    row += &text(VALUES, y, "number right", &format!("{:.2}", bar.value));
    if let Some(limit) = bar.limit {
        row += &line((place(limit), top - 4.0), (place(limit), top + THICKNESS + 4.0), "limit");
        let class = if is_missed { "bad right" } else { "good right" };
        row += &text(LIMITS, y, class, &format!("≤ {limit} {}", if is_missed { "✗" } else { "✓" }));
    }
    row + &text(NOTES, y, "soft right", &bar.note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_beyond_its_limit_is_told_apart() {
        let bar = |value| Bar { label: "a".into(), value, spread: (1.0, 2.0), limit: Some(3.0), note: "9 ns".into() };
        let group = Group { title: "g".into(), scale: 4.0, bars: vec![bar(2.0), bar(9.0)] };
        let drawn = draw("t", &[], "time", &[group]).svg();
        assert_eq!(drawn.matches("bar missed").count(), 1, "{drawn}");
        assert!(drawn.contains("≤ 3 ✓") && drawn.contains("≤ 3 ✗"), "{drawn}");
        // No bar leaves the picture.
        assert_eq!(drawn.matches(&format!("width=\"{:.1}\"", RIGHT - LEFT)).count(), 1, "{drawn}");
    }
}
