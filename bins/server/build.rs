//! Has the console embedded anew when it was built anew.

fn main() {
    println!("cargo::rerun-if-changed=../console/dist");
}
