import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
    }
}

tasks.compileKotlin {
    compilerOptions {
        // Java 8's classes only, which Android 7 (API 24) has; nothing newer compiles.
        freeCompilerArgs.add("-Xjdk-release=1.8")
    }
}

tasks.processResources {
    // The names that marks are told by: one table for Python, Kotlin and JavaScript.
    from(rootDir.resolve("../train/image/marks")) {
        include("tables.json")
        into("fauxlens/marks")
    }
}

tasks.test {
    systemProperty("fauxlens.golden", rootDir.resolve("../tests/golden").path)
    systemProperty("fauxlens.root", rootDir.resolve("..").path)
}

dependencies {
    testImplementation(libs.junit)
}
