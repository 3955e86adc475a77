//! Prints the OpenAPI document, for whoever makes types of it.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&stratora_api::openapi_document())?);
    Ok(())
}
