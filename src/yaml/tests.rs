use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Node {
    let mut documents = read(text, 0).expect("sound");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

#[test]
fn values_and_their_places() {
    let text = "a: 1\nb:\n  - \"2\"\n  - {c: -3, d: 1.5}\nü: é\ne: true\nf:\n";
    let node = one(text);
    let written = |node: &Node| &text[node.at.start..node.at.end];
    let list = node.find("b").expect("a list");
    assert_eq!((&list.items()[0].value, written(&list.items()[0])), (&Value::Text("2".to_owned()), "\"2\""));
    assert_eq!(written(list), "b");
    assert_eq!(list.items()[1].find("c").and_then(Node::as_int), Some(-3));
    assert_eq!(list.items()[1].find("d").map(|node| &node.value), Some(&Value::Float(1.5)));
    assert_eq!(written(node.find("ü").expect("a text")), "é");
    assert_eq!(node.find("e").map(|node| &node.value), Some(&Value::Bool(true)));
    assert_eq!(node.find("f").map(|node| (&node.value, written(node))), Some((&Value::Null, "f")));
    assert_eq!(node.entry("b").map(|entry| entry.at), Some(Place { file: 0, start: 5, end: 6 }));
}

#[test]
fn documents_stand_one_after_the_other() {
    let documents = read("---\na: 1\n---\n# nothing\n---\nb: 2\n", 7).expect("sound");
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[1].entry("b").map(|entry| entry.at.file), Some(7));
    assert_eq!(read("", 0), Ok(Vec::new()));
}

#[test]
fn what_readers_differ_on_is_refused() {
    for (text, title) in [
        ("a: yes", "readers of YAML differ on what `yes` is"),
        ("a: 0755", "readers of YAML differ on what `0755` is"),
        ("a: 0x1f", "readers of YAML differ on what `0x1f` is"),
        ("a: 1_000", "readers of YAML differ on what `1_000` is"),
        ("a: 12:30", "readers of YAML differ on what `12:30` is"),
        ("a: .5", "readers of YAML differ on what `.5` is"),
        ("a: 99999999999999999999", "readers of YAML differ on what `99999999999999999999` is"),
        ("a: &x 1", "an anchor"),
        ("a: !!str 1", "a tag"),
        ("a: 1\na: 2", "`a` stands twice"),
        ("[1]: 2", "a key that is no text"),
        ("a: [", "not YAML: "),
        ("a: b: c", "not YAML: "),
    ] {
        let error = read(text, 0).expect_err(text);
        assert!(error.title.starts_with(title), "{text}: {error:?}");
        assert!(!error.help.is_empty());
    }
    assert_eq!(read("a: 1\nb: &x 1", 0).expect_err("an anchor").at.start, 8);
    assert!(read(&"[".repeat(1000), 0).is_err());
    assert!(read(&format!("{}{}", "[".repeat(1000), "]".repeat(1000)), 0).is_err());
}

#[test]
fn one_way_of_writing() {
    let text = "\
b: [1, {z: 1, a: [x, [q]]}, []]
name: x
apiVersion: v1
a: {m: {}, o: null, t: \"multi\\nline\", u: \"1\", v: \"yes\", w: 1.0, x: a b, z: \"a: b\"}
";
    let expected = "\
apiVersion: v1
name: x
a:
  m: {}
  o: null
  t: \"multi\\nline\"
  u: \"1\"
  v: \"yes\"
  w: 1.0
  x: a b
  z: \"a: b\"
b:
  - 1
  - a:
      - x
      -
        - q
    z: 1
  - []
";
    let node = one(text);
    assert_eq!(write([&node]), expected);
    assert_eq!(write([&node, &one("a: 1")]), format!("{expected}---\na: 1\n"));
}

/// Values without places and numbers that have no short form.
fn values() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 8.0)),
        "\\PC*".prop_map(Value::Text),
        "[ -~\\n\\t]{0,9}".prop_map(Value::Text),
        "[-+0-9_.:xobeynf]{0,5}".prop_map(Value::Text),
    ];
    let node = |value: Value| Node { value, at: Place::default() };
    leaf.prop_map(node).prop_recursive(4, 40, 5, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List);
        let map = prop::collection::btree_map("[a-z: #'\"-]{0,4}", inner, 0..5).prop_map(|map| {
            let entry = |(key, node)| Entry { key, at: Place::default(), node };
            Value::Map(Map(map.into_iter().map(entry).collect()))
        });
        prop_oneof![list, map].prop_map(node)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(node in values()) {
        let document = Node::map(Place::default(), [("document", node)]);
        let text = write([&document]);
        let back = read(&text, 0).expect("sound");
        prop_assert_eq!(back[0].json(), document.json());
        prop_assert_eq!(write([&back[0]]), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-a: \\n\\[\\]{},&*!'\"|>#é0-9]{0,40}") {
        _ = read(&text, 0);
    }
}
