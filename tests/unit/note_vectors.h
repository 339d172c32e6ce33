/* note_vectors - notes and keys that others have published, for the tests of src/ledger. Used by tests alone.
 *
 * From C2SP signed-note (the examples), tlog-checkpoint, tlog-cosignature and tlog-witness; from the tests of Go's
 * golang.org/x/mod/sumdb/note (Peter and Enoch); and one checkpoint of a public log, with its witnesses' cosignatures. */
#ifndef UNIT_NOTE_VECTORS_H
#define UNIT_NOTE_VECTORS_H

#define DASH "\xe2\x80\x94 "

#define FOO_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_NOTE                                                                                                       \
	"This is an example message.\n\n" DASH "example.com/foo "                                                      \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

#define PETER_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SEED "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=" /* his secret, as published; without the type */
#define PETER_TEXT                                                                                                     \
	"If you think cryptography is the answer to your problem,\n"                                                   \
	"then you don't know what your problem is.\n"
#define PETER_BASE64 "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
#define PETER_LINE DASH "PeterNeumann " PETER_BASE64 "\n"
#define ENOCH_KEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define ENOCH_BASE64 "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
#define ENOCH_LINE DASH "EnochRoot " ENOCH_BASE64 "\n"

#define QUASIMODO_TEXT                                                                                                 \
	"Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \xc3\xa8 subito sera.\n"
#define QUASIMODO_NOTE                                                                                                 \
	QUASIMODO_TEXT                                                                                                 \
	"\n" DASH "quasimodo.example/salvatore "                                                                       \
	"NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"

#define SOFA_ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
#define SOFA_TEXT "example.com/behind-the-sofa\n20852163\n" SOFA_ROOT "\n"
#define SOFA_LINE                                                                                                      \
	DASH "example.com/behind-the-sofa "                                                                            \
	     "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define SOFA_SECOND                                                                                                    \
	DASH "example.com/behind-the-sofa "                                                                            \
	     "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
#define SOFA_WITNESS                                                                                                    \
	DASH "witness.example.com/w1 "                                                                                  \
	     "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==" \
	     "\n"

#define ARCHE_KEY "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
#define GARDEN_KEY "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"
#define SMARTIT_KEY "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO"
#define REMORA_KEY "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
#define STAGEMOLE_KEY "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"
#define ARCHE_TIME 0x6a122120 /* of each of the four */
#define ARCHE_TEXT "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
/* The first is of type 0x05, which is nobody's here. */
#define ARCHE_NOTE                                                                                                        \
	ARCHE_TEXT                                                                                                        \
	"\n" DASH "arche2025h1.staging.ct.transparency.dev "                                                              \
	"zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55l" \
	"vGt0=\n" DASH "arche2025h1.staging.ct.transparency.dev "                                                         \
	"ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n" DASH             \
	"transparency.dev/DEV:witness-little-garden "                                                                     \
	"2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n" DASH \
	"witness1.smartit.nu/witness1 "                                                                                   \
	"pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n" DASH \
	"remora.n621.de "                                                                                                 \
	"2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n" DASH \
	"witness.stagemole.eu "                                                                                           \
	"Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n"

/* Peter's key as a witness, over SOFA_TEXT: made with another implementation of Ed25519. */
#define WITNESS_KEY "witness.example/w+20e9690b+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define WITNESS_TIME 1679315147
#define WITNESS_LINE                                                                                                    \
	DASH "witness.example/w "                                                                                       \
	     "IOlpCwAAAABkGFDLJeR//pqzhnEKVvEm2wWbh2RJ6oru5+cUUfm5X9NnlaGr8aSH9QE5RVZD4QGlxl2F5UpVIIi94p178KLfqPPsAA==" \
	     "\n"
#define WITNESS_FIRST                                                                                                   \
	DASH "witness.example/w "                                                                                       \
	     "IOlpCwAAAAAAAAAAq30A3d8aJNe2M5dSRFImcjTJ8pN0J7zdS51HewGjV7ewLXzmxZSG5bjl4J+uqD6vIjcW3Qt8m6cdSjsFR2RcDQ==" \
	     "\n"
#define WITNESS_LAST                                                                                                    \
	DASH "witness.example/w "                                                                                       \
	     "IOlpC3//////////IgzwXayNR0ASQtDymfce0mRt64dyRNsw0EaFItbEW7c4jwG82Bzn61tj1hy2FO08L7hkDluBof2XglSpD4iTCQ==" \
	     "\n"
#define WITNESS_TOO_LATE                                                                                                \
	DASH "witness.example/w "                                                                                       \
	     "IOlpC4AAAAAAAAAAm9CDB4WQkOYf5C3gIdHcItCgV3RWtBbOdZcHpS087dwZ9kwVjIz5heMGr+Kt0Jc3Zsas4ybNhApDDlKaY+JyAw==" \
	     "\n"

#endif
