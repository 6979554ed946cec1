plugins {
    `java-library`
}

java {
    // Records and pattern matching; this module runs on a JVM only, never on a phone.
    sourceCompatibility = JavaVersion.VERSION_17
    targetCompatibility = JavaVersion.VERSION_17
}

dependencies {
    implementation(libs.jna)
}
