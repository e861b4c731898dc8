//! Pictures of reports: SVG by itself, in the colours of light and dark surroundings, or a page that needs no network.

pub mod bars;
pub mod lanes;

const THEME: &str = include_str!("theme.css");
const FRAME: &str = include_str!("page.html");

/// Between a picture's edge and what is on it.
pub(crate) const MARGIN: f64 = 24.0;
/// The width of all pictures, in pixels where they are not scaled.
pub(crate) const WIDTH: f64 = 880.0;

/// A picture: its title, its height, and its elements with the style that they have beyond the theme.
#[derive(Clone, Debug)]
pub struct Picture {
    pub title: String,
    pub height: f64,
    pub style: &'static str,
    pub elements: String,
}

impl Picture {
    /// An SVG file.
    pub fn svg(&self) -> String {
        let style = format!(
            "<style>\n{THEME}{}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n",
            self.style
        );
        self.element(&style)
    }

    /// A page of HTML.
    pub fn page(&self) -> String {
        FRAME
            .replace("{{title}}", &escape(&self.title))
            .replace("{{style}}", &format!("{THEME}{}", self.style))
            .replace("{{width}}", &WIDTH.to_string())
            .replace("{{picture}}", &self.element(""))
    }

    fn element(&self, first: &str) -> String {
        let Picture { title, height, elements, .. } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title>\n{first}{elements}</svg>\n",
            escape(title)
        )
    }
}

/// Text at a place; its class says how it stands there.
pub(crate) fn text(x: f64, y: f64, class: &str, words: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>\n", escape(words))
}

/// A rectangle.
pub(crate) fn rect(x: f64, y: f64, width: f64, height: f64, class: &str) -> String {
    format!("<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\n")
}

/// A straight line.
pub(crate) fn line(from: (f64, f64), to: (f64, f64), class: &str) -> String {
    let ((x1, y1), (x2, y2)) = (from, to);
    format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n")
}

/// Text that means nothing else in HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_nothing_of_a_network() {
        let picture = Picture { title: "a < b".into(), height: 10.0, style: "", elements: text(1.0, 2.0, "soft", "&") };
        let page = picture.page();
        assert!(page.contains("a &lt; b") && page.contains("&amp;</text>"), "{page}");
        assert!(!page.contains("{{"), "{page}");
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("://"), "{page}");
    }
}
