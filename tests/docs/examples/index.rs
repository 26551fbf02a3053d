//! `examples/README.md`, the list of all examples.

use super::*;

/// The first picture in the header of an example.
fn picture(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let header = text.lines().map_while(|line| line.strip_prefix("//!"));
    let header = header.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut lines = header.skip_while(|line| *line != "```text").skip(1);
    let picture: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
    assert!(!picture.is_empty(), "{} has no picture", file.display());
    picture.join("\n")
}

#[test]
fn lists_each_example_with_its_picture() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"));
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let examples = examples();
    for (name, file) in &examples {
        assert!(
            index.contains(&format!("| [`{name}`](#{name}) |\n")),
            "the tables lack {name}"
        );
        let path = file.strip_prefix(folder).unwrap().display();
        let section = format!("## {name}\n\n[{path}]({path})\n\n```text\n{}\n```\n", picture(file));
        assert!(
            index.contains(&section),
            "the file has another picture than this section:\n{section}"
        );
    }
    assert_eq!(index.matches("\n## ").count(), examples.len());
}
