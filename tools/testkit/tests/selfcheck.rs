//! Self-check.
use testkit::oracle::{Oracle, coverage::Coverage, generate::Generator};
#[test]
fn selfcheck() {
    let n: u64 = std::env::var("N").map_or(60_000, |t| t.parse().unwrap());
    let seed: u64 = std::env::var("S").map_or(1, |t| t.parse().unwrap());
    let mut g = Generator::new(seed);
    let mut o = Oracle::new();
    let mut c = Coverage::default();
    let t = std::time::Instant::now();
    for i in 0..n {
        let s = g.next(&o);
        let a = o.execute(&s);
        c.count(&s, &a);
        if i % 499 == 0 {
            o.check();
        }
    }
    println!("{c}\n{:?} open {} missing {:#?}", t.elapsed(), o.orders().len(), c.missing());
}
