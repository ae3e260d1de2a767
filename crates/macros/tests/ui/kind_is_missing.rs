use windlass_macros::Job;

#[derive(Job)]
#[job(queue = "mail")]
struct SendWelcomeEmail {
    to: String,
}

fn main() {}
