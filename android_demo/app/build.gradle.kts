import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

val repository = rootDir.resolve("..")

android {
    namespace = "fauxlens.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "fauxlens.app"
        minSdk = 24
        targetSdk = 36
        versionCode = 2
        versionName = "0.2.0"
        ndk {
            // Phones, and the emulator on a computer.
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // The detector: what `fauxlens export --android` put into the app, else the one that the repository carries.
    if (!file("src/main/assets/bundle.zip").isFile) {
        sourceSets["main"].assets.setSrcDirs(listOf(repository.resolve("export/shipped")))
    }

    androidResources {
        ignoreAssetsPattern = "!*.md:!.*"
    }

    packaging {
        jniLibs {
            // Compressed they are half as large; they are unpacked when the app is installed.
            useLegacyPackaging = true
        }
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.systemProperty("fauxlens.golden", repository.resolve("tests/golden").path)
                it.systemProperty("fauxlens.root", repository.path)
                // Where this repository's Python environment has LiteRT's C library; `make setup` makes it.
                val litert = ".venv/lib/python3.11/site-packages/ai_edge_litert/libLiteRt.so"
                it.systemProperty("fauxlens.litert", repository.resolve(litert).path)
                it.systemProperty("fauxlens.screens", "")
                it.jvmArgs("-Xmx1g", "--add-opens=java.base/java.io=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")
                it.jvmArgs("--add-opens=java.base/java.net=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED")
            }
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.gpu)
    implementation(libs.litert.gpu.api)
    testImplementation(project(":jvm"))
    testImplementation(libs.junit)
    testImplementation(libs.kotlinx.serialization.json)
    testImplementation(libs.robolectric)
}
