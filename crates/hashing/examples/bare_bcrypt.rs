//! What a password check costs at best: so many verifications of cost 12, and nothing around them. `cargo xtask bench`
//! measures a sign-in against it. The number is the only argument.

fn main() {
    let times = std::env::args().nth(1).and_then(|times| times.parse().ok()).unwrap_or(8);
    // Any hash will do: a wrong secret costs as much as the right one.
    let hash = "$2b$12$K3JNi5xUQEM9ZBVE1tK2jeJdWQXMn8gEJmEqRGQKHgzgkWqTMtOvC";
    let verified = (0..times).filter(|_| bcrypt::verify("a secret", hash).unwrap_or(false)).count();
    println!("{verified} of {times}");
}
