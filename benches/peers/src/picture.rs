//! Draws the measured throughput.

use std::iter;

use plotters::prelude::*;

use peers::Outcome;

use crate::measure::{BASELINE, LIBRARIES, Row, SIZES, label};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../throughput.svg");
const TITLE: &str = "Push/pull over loopback TCP between two processes";

/// The colour and the width of each line. People who are blind to some colours can tell these colours apart. The
/// baseline is wide, so that it stays visible below the line of a library that is equally fast.
const STYLES: [(RGBColor, u32); LIBRARIES.len()] = [
    (RGBColor(0, 114, 178), 2),
    (RGBColor(185, 185, 185), 8),
    (RGBColor(0, 158, 115), 2),
    (RGBColor(213, 94, 0), 2),
];

/// Lines of throughput against size, both on logarithmic scales.
pub fn draw(rows: &[Row]) -> Outcome {
    let area = SVGBackend::new(PATH, (960, 600)).into_drawing_area();
    area.fill(&WHITE)?;
    let decades = decades(rows);
    let throughputs = decades[0]..decades[decades.len() - 1];
    let mut chart = ChartBuilder::on(&area)
        .caption(TITLE, ("sans-serif", 24))
        .margin(20)
        .x_label_area_size(56)
        .y_label_area_size(72)
        .build_cartesian_2d(
            // Leaves some room to the left of the smallest size, and to the right of the largest.
            (10.0..1.6 * (1 << 20) as f64)
                .log_scale()
                .with_key_points(SIZES.map(|bytes| bytes as f64).to_vec()),
            throughputs.log_scale().with_key_points(decades),
        )?;
    chart
        .configure_mesh()
        .x_desc("size of a message")
        .y_desc("messages a second")
        .x_label_formatter(&|bytes| label_of_size(*bytes))
        .y_label_formatter(&|throughput| label_of_throughput(*throughput))
        .label_style(("sans-serif", 16))
        .axis_desc_style(("sans-serif", 18))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for index in baseline_first() {
        let (color, width) = STYLES[index];
        let style = color.filled().stroke_width(width);
        let points = rows.iter().map(|row| (row.bytes as f64, row.figures()[index]));
        chart
            .draw_series(LineSeries::new(points, style).point_size(4))?
            .label(LIBRARIES[index])
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(32)
        .margin(16)
        .label_font(("sans-serif", 18))
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    Ok(area.present()?)
}

/// Returns the indexes of all libraries in the order of drawing. Later lines cover earlier ones.
fn baseline_first() -> impl Iterator<Item = usize> {
    let others = (0..LIBRARIES.len()).filter(|index| *index != BASELINE);
    iter::once(BASELINE).chain(others)
}

/// Returns the powers of ten from below the smallest throughput to above the largest.
fn decades(rows: &[Row]) -> Vec<f64> {
    let logarithms = rows.iter().flat_map(Row::figures).map(f64::log10);
    let least = logarithms.clone().fold(f64::INFINITY, f64::min).floor() as i32;
    let greatest = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
    (least..=greatest).map(|exponent| 10f64.powi(exponent)).collect()
}

fn label_of_size(bytes: f64) -> String {
    let size = SIZES.into_iter().find(|size| *size as f64 == bytes);
    size.map(label).unwrap_or_default()
}

fn label_of_throughput(throughput: f64) -> String {
    match throughput {
        throughput if throughput >= 1e6 => format!("{} M", throughput / 1e6),
        throughput if throughput >= 1e3 => format!("{} k", throughput / 1e3),
        throughput => throughput.to_string(),
    }
}
