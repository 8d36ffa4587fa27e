#include "toolstack/nearest.h"

#include <limits.h>
#include <string.h>

#define WORD_MAX 31

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1][WORD_MAX + 1]; /* optimal string alignment */
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return UINT_MAX;
	for (size_t i = 0; i <= la; i++)
		row[i][0] = (unsigned)i;
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			unsigned change = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			row[i][j] = min(change, min(row[i - 1][j], row[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[i][j] = min(row[i][j], row[i - 2][j - 2] + 1);
		}
	}
	return row[la][lb];
}

int nearest_near(const char *word, unsigned distance)
{
	return distance <= 2 && distance < strlen(word);
}
