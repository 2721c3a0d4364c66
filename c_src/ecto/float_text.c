/* float_text - see float_text.h. */
#include "ecto/float_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_TO_53 9007199254740992.0

/* printf writes d.ddde+xx; 17 digits are always enough. */
void elfs_float_digits(double value, struct elfs_float_digits *out) {
    char text[40];
    double magnitude = fabs(value);
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, magnitude);
        if (strtod(text, NULL) >= magnitude && strtod(text, NULL) <= magnitude) break;
    }
    char *e = strchr(text, 'e');
    out->count = 0;
    for (const char *p = text; p < e; p++) {
        if (*p != '.') out->digits[out->count++] = *p;
    }
    while (out->count > 1 && out->digits[out->count - 1] == '0') out->count--;
    out->exponent = (int)strtol(e + 1, NULL, 10) - (int)out->count + 1;
}

/* ddd.ddd, with a digit at least on either side. */
static size_t decimal(const struct elfs_float_digits *d, char *text) {
    int point = (int)d->count + d->exponent; /* digits before it */
    size_t n = 0;
    if (point <= 0) {
        text[n++] = '0';
        text[n++] = '.';
        for (int i = point; i < 0; i++) text[n++] = '0';
    }
    for (size_t i = 0; i < d->count; i++) {
        if (point > 0 && (int)i == point) text[n++] = '.';
        text[n++] = d->digits[i];
    }
    for (int i = (int)d->count; i < point; i++) text[n++] = '0';
    if (point >= (int)d->count) {
        text[n++] = '.';
        text[n++] = '0';
    }
    return n;
}

/* d.ddde-xx */
static size_t scientific(const struct elfs_float_digits *d, char *text) {
    size_t n = 0;
    text[n++] = d->digits[0];
    text[n++] = '.';
    if (d->count == 1) text[n++] = '0';
    for (size_t i = 1; i < d->count; i++) text[n++] = d->digits[i];
    return n + (size_t)sprintf(text + n, "e%d", (int)d->count - 1 + d->exponent);
}

size_t elfs_float_text(double value, char text[ELFS_FLOAT_TEXT_MAX]) {
    struct elfs_float_digits d = {.count = 0};
    char plain[400], power[ELFS_FLOAT_TEXT_MAX];
    size_t n = 0;
    elfs_float_digits(value, &d);
    if (signbit(value)) text[n++] = '-';
    if (d.digits[0] == '0') {
        memcpy(text + n, "0.0", 4);
        return n + 3;
    }
    size_t long_form = decimal(&d, plain), short_form = scientific(&d, power);
    bool use_power = fabs(value) >= TWO_TO_53 || short_form < long_form;
    memcpy(text + n, use_power ? power : plain, use_power ? short_form : long_form);
    n += use_power ? short_form : long_form;
    text[n] = '\0';
    return n;
}
