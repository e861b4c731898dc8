//! Which class a port is of. A single port counts before a range that it is in, and what is discovered before both.

use std::collections::BTreeMap;

use toml::Spanned;

use super::file::{Class, Ports};
use super::problem::Problem;

/// Adds what two classes of one protocol both claim.
pub fn judge(classes: &BTreeMap<Spanned<String>, Class>, problems: &mut Vec<Problem>) {
    let mut claims: Vec<(&str, &Class, &Spanned<Ports>)> = Vec::new();
    for (name, class) in classes {
        for ports in &class.ports {
            let same = |(_, other, claim): &&(&str, &Class, &Spanned<Ports>)| {
                other.protocol == class.protocol && clash(claim.get_ref(), ports.get_ref())
            };
            if let Some((other, ..)) = claims.iter().find(same) {
                problems.push(problem(ports, other));
            }
            claims.push((name.get_ref(), class, ports));
        }
        for socket in &class.discover {
            let same = |(other_name, other): &(&Spanned<String>, &Class)| {
                other_name.get_ref() < name.get_ref()
                    && other.protocol == class.protocol
                    && other.discover.iter().any(|claim| claim.get_ref() == socket.get_ref())
            };
            if let Some((other, _)) = classes.iter().find(same) {
                let wrong = format!("this socket is of class `{}` as well", other.get_ref());
                problems.push(Problem { at: socket.span(), wrong, write: "it in one class".into() });
            }
        }
    }
}

fn is_single(ports: &Ports) -> bool {
    ports.first == ports.last
}

fn clash(one: &Ports, other: &Ports) -> bool {
    is_single(one) == is_single(other) && one.first <= other.last && other.first <= one.last
}

fn problem(ports: &Spanned<Ports>, other: &str) -> Problem {
    let Ports { first, last } = ports.get_ref();
    let wrong = match is_single(ports.get_ref()) {
        true => format!("port {first} is of class `{other}` as well"),
        false => format!("ports {first}-{last} overlap those of class `{other}`"),
    };
    Problem { at: ports.span(), wrong, write: "each port once".into() }
}
