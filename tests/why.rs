//! `forge why`: which path makes one thing need another.

use std::fs;

use crate::support::{Forge, boxed};

/// A project in which `app` reads `lib` and both have sources.
fn project() -> Forge {
    let forge = boxed::forge();
    forge.write("recipes/lib/lib.c", "int one;\n");
    forge.write(
        "recipes/lib/recipe.toml",
        "toolroot = \"box\"\nsteps = [\"mkdir /out/out /out/dev\"]\noutputs = [\"out\", \"dev\"]\n[sources]\nsrc = { path = [\"*.c\"] }\n",
    );
    forge.write("recipes/base.toml", "abstract = true\ntoolroot = \"box\"\n[deps]\nlib = \"lib:dev\"\n");
    forge.write("recipes/app.toml", "extends = \"base\"\nsteps = [\"mkdir /out/out\"]\n");
    forge.write("recipes/alone.toml", "toolroot = \"box\"\nsteps = [\"mkdir /out/out\"]\n");
    forge
}

#[test]
fn each_hop_names_the_line_that_is_to_blame() {
    let forge = project();
    for (to, lines) in [
        ("box", &["app → box  toolroot  recipes/base.toml:2"][..]),
        ("lib:dev", &["app → lib:dev  deps.lib  recipes/base.toml:4"]),
        ("lib", &["app → lib:dev  deps.lib      recipes/base.toml:4", "lib:dev → lib  an output of"]),
        ("lib/src", &["lib → lib/src  sources.src   recipes/lib/recipe.toml:5"]),
        ("recipes/lib/lib.c", &["lib/src → recipes/lib/lib.c  a file of this source  recipes/lib/recipe.toml:5"]),
        ("recipes/lib/recipe.toml", &["lib → recipes/lib/recipe.toml  its recipe"]),
        ("./recipes/base.toml", &["app → recipes/base.toml  a recipe it is based on"]),
        ("box/debs", &["box → box/debs  a set of packages  recipes/box.toml:4"]),
    ] {
        let said = forge.run(&["why", "app", to]).success().stdout;
        assert!(lines.iter().all(|line| said.contains(line)), "{to}:\n{said}");
    }
}

#[test]
fn a_package_is_told_by_the_relations_that_brought_it() {
    let forge = project();
    // The store has the package list, as `box` was locked with it: no network is asked.
    let nowhere = forge.folder().join("mirrors.toml");
    fs::write(&nowhere, "").unwrap();
    let forge = forge.env("FORGE_MIRRORS", nowhere);
    let said = forge.run(&["why", "app", "libpcre2-8-0"]).success().stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("app → box") && lines[1].starts_with("box → "), "{said}");
    assert!(lines[1].contains("packages") && lines[1].contains("recipes/box.toml:4"), "{said}");
    assert!(lines[lines.len() - 1].contains("→ libpcre2-8-0") && said.contains("Depends: "), "{said}");
    let again = forge.run(&["why", "app", "deb:libpcre2-8-0"]).success().stdout;
    assert_eq!(again, said, "and from what was kept of it");

    let all = forge.run(&["why", "app", "libc6", "--all", "--json"]).success();
    let lengths: Vec<_> = all.json().iter().map(|line| line["hops"].as_array().unwrap().len()).collect();
    assert!(lengths.len() > 1 && lengths.is_sorted(), "{lengths:?}");
    let first = &all.json()[0];
    assert_eq!((&first["from"], &first["to"]), (&"app".into(), &"libc6".into()));
    assert_eq!(first["hops"][0]["file"], "recipes/base.toml");
    assert_eq!((&first["hops"][0]["line"], &first["hops"][1]["to"]), (&2.into(), &"coreutils".into()));
}

#[test]
fn a_crate_is_told_by_the_cargo_lock_that_names_it() {
    let forge = project();
    forge.write(
        "recipes/serve.toml",
        "kind = \"cargo\"\ntoolroot = \"box\"\nbins = [\"serve\"]\nglibc = \"2.34\"\n[sources]\n\
         src = { crate = \"serve\", version = \"1.2.3\" }\n[deps]\nlib = \"lib\"\n",
    );
    let (hex, file) = ("0a".repeat(32), forge.project().join("lockfile.toml"));
    let crates = ["dash 0.1.0", "itoa 0.4.8", "itoa 1.0.4", "serve 1.2.3"];
    let lines: Vec<_> = crates.iter().map(|one| format!("\"{one} 1 {hex}\"")).collect();
    let source = format!("[[source]]\nunit = \"serve\"\nspec = \"sha256:{hex}\"\n");
    let lock =
        fs::read_to_string(&file).unwrap().replace("[[suite]]", &format!("crates = [{}]\n[[suite]]", lines.join(", ")));
    let closed = "name = \"crates\"\ncrates = [\"dash 0.1.0\", \"itoa 0.4.8\", \"itoa 1.0.4\"]";
    fs::write(&file, format!("{lock}{source}name = \"src\"\ncrate = \"serve 1.2.3\"\n{source}{closed}\n")).unwrap();

    let place = "recipes/serve.toml:6";
    let said = forge.run(&["why", "serve", "itoa", "--all"]).success().stdout;
    let rows = |said: &str| -> Vec<String> {
        said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let crates = format!("serve → serve/crates the crates of its Cargo.lock {place}");
    let hop = |version: &str| format!("serve/crates → itoa {version} named in it");
    assert_eq!(rows(&said), [&*crates, &hop("0.4.8"), "", &crates, &hop("1.0.4")]);
    let one = forge.run(&["why", "serve", "crate:itoa@1.0.4"]).success().stdout;
    assert_eq!(rows(&one), [&*crates, &hop("1.0.4")]);
    let own = forge.run(&["why", "serve", "crate:serve"]).success().stdout;
    assert_eq!(
        rows(&own),
        [&*format!("serve → serve/src sources.src {place}"), "serve/src → serve 1.2.3 the crate that it is"]
    );
    let deb = forge.run(&["why", "serve", "dash"]).success().stdout;
    assert!(deb.contains("box → dash"), "a package comes first\n{deb}");
    assert!(forge.run(&["why", "serve", "crate:dash"]).success().stdout.contains("→ dash 0.1.0"));
    forge.run(&["why", "app", "itoa"]).code(1).says("`app` does not need `itoa`");
    forge.run(&["why", "serve", "itao"]).code(2).says("did you mean `itoa`?");
    forge.run(&["why", "serve", "itoa@2.0.0"]).code(2).says("is no unit, source, package, crate or file");
}

#[test]
fn without_package_list_the_way_to_one_is_told() {
    let forge = project();
    let bare = forge.folder().join("bare");
    let forge = forge.env("FORGE_STORE", bare);
    let run = forge.run(&["why", "app", "libc6"]).success().says("`forge why --fetch` downloads");
    assert!(run.stdout.contains("box/debs → libc6"), "{}", run.stdout);
}

#[test]
fn a_digest_is_found_wherever_it_stands() {
    let forge = project();
    let built = forge.run(&["build", "app", "--json"]).success().json();
    let digest = forge::digest::Digest::of(b"int one;\n").to_string();
    let said = forge.run(&["why", "app", &digest]).success().stdout;
    assert!(said.contains("lib/src → recipes/lib/lib.c"), "{said}");
    let lock = fs::read_to_string(forge.project().join("lockfile.toml")).unwrap();
    let deb = lock.lines().find(|line| line.contains("\"dash:amd64 ")).unwrap().split(' ').nth(5).unwrap().to_owned();
    assert!(forge.run(&["why", "app", &deb]).success().stdout.contains("→ dash"));
    let own = built[0]["derivation"].as_str().unwrap();
    forge.run(&["why", "app", own]).code(2).says("itself");
    forge.run(&["why", "alone", &digest]).code(2).says("nothing that `alone` needs");
}

#[test]
fn a_file_is_found_by_the_end_of_its_path() {
    let forge = project();
    forge.write("recipes/lib/more.c", "").write("recipes/alone/lib.c", "int other;\n");
    let whole = forge.run(&["why", "app", "recipes/lib/lib.c"]).success().stdout;
    for end in ["lib.c", "lib/lib.c", "./lib/lib.c"] {
        assert_eq!(forge.run(&["why", "app", end]).success().stdout, whole, "{end}");
    }
    assert!(forge.run(&["why", "app", "base.toml"]).success().stdout.contains("→ recipes/base.toml"));
    forge.write(
        "recipes/app.toml",
        "extends = \"base\"\nsteps = [\"mkdir /out/out\"]\nsources.own = { path = [\"alone/*.c\"] }\n",
    );
    forge
        .run(&["why", "app", "lib.c"])
        .code(2)
        .says("several paths end in `lib.c`")
        .says("did you mean `recipes/alone/lib.c` or `recipes/lib/lib.c`?");
    forge.run(&["why", "app", "ib.c"]).code(2).says("is no unit, source, package, crate or file");
}

#[test]
fn what_is_not_needed_is_negative_and_what_is_not_there_an_error() {
    let forge = project();
    forge.write("recipes/stray.c", "");
    let none = forge.run(&["why", "alone", "lib"]).code(1).says("`alone` does not need `lib`");
    assert_eq!(none.stdout, "");
    forge.run(&["why", "app", "recipes/stray.c"]).code(1).says("does not need");
    for (args, words) in [
        (["why", "ap", "box"], "did you mean `app`?"),
        (["why", "app", "libc"], "did you mean `libc6`?"),
        (["why", "app", "recipes/gone.c"], "is no unit, source, package, crate or file"),
        (["why", "app", "app"], "ask about two things"),
        (["why", "app:doc", "box"], "its outputs: out"),
        (["why", "app", "../x"], "is no unit"),
    ] {
        forge.run(&args).code(2).says(words);
    }
}

#[test]
fn only_the_recipes_that_matter_are_looked_at() {
    let forge = project();
    forge.write(
        "recipes/many.toml",
        "toolroot = \"box\"\nsteps = [\"mkdir /out/out\"]\n[deps]\nlib = \"lib\"\n[[matrix]]\nname = \"one\"\n",
    );
    assert!(forge.run(&["why", "one", "lib"]).success().stdout.starts_with("one → lib  deps.lib  recipes/many.toml:4"));
    forge.run(&["why", "alone", "one"]).code(1).says("`alone` does not need `one`");
    forge.run(&["why", "alone", "https://example.org/x"]).code(2).says("is no unit, source, package, crate or file");
    forge.write("recipes/broken.toml", "step = 1");
    forge.write("recipes/lost.toml", "extends = \"broken\"");
    assert!(forge.run(&["why", "app", "lib"]).success().stdout.contains("app → lib:dev"));
    forge.run(&["why", "app", "libc"]).code(2).says("unknown field `step`");
    forge.run(&["why", "lost", "lib"]).code(2).says("unknown field `step`");
    forge.run(&["why", "gone", "lib"]).code(2).says("unknown field `step`");
}
