-- from person
WITH _rows AS (
  SELECT
    1 AS _one
  FROM person
)
SELECT
  count(*) AS count
FROM _rows

-- from person where severe_illness and age(birth_date) between 18 and 59 and not employed by region.county measure people = count(), homes = count_distinct(household) totals
WITH _rows AS (
  SELECT
    CASE WHEN household._level >= 2 THEN left(household.region, 6) END AS _k1,
    household._row AS _v1
  FROM person
  JOIN household ON household._row = person._parent
  WHERE person.severe_illness
    AND person.birth_date BETWEEN DATE '1966-11-01' AND DATE '2008-10-31'
    AND NOT person.employed
)
SELECT
  _k1 AS "region.county",
  count(*) AS people,
  count(DISTINCT _v1) AS homes
FROM _rows
GROUP BY ROLLUP (_k1)
ORDER BY grouping(_k1), _k1 NULLS LAST

-- from person where disability_grade in (1, 2) and tags has any (single_parent, orphan) and name starts '王' and region within (1401, 140105001001) by household.urban, sex
WITH _rows AS (
  SELECT
    household.urban AS _k1,
    person.sex AS _k2
  FROM person
  JOIN household ON household._row = person._parent
  WHERE starts_with(household.region, '1401')
    AND person.disability_grade IN ('grade_1', 'grade_2')
    AND list_has_any(person.tags, ['orphan', 'single_parent'])
    AND starts_with(person.name, '王')
)
SELECT
  _k1 AS "household.urban",
  _k2 AS sex,
  count(*) AS count
FROM _rows
GROUP BY _k1, _k2
ORDER BY _k1 NULLS LAST, list_position(['unknown_sex', 'male', 'female', 'unstated_sex'], _k2) NULLS LAST

-- from household where per_capita(income) < 680 and none(person where employed) by region.next measure n = count(), rest = sum(income) / count() order -n limit 5 offset 2
WITH _beneath_1 AS (
  SELECT person._parent AS _of
  FROM person
  WHERE person.employed
  GROUP BY person._parent
),
_beneath_2 AS (
  SELECT person._parent AS _of, count(*) AS _count
  FROM person
  GROUP BY person._parent
),
_rows AS (
  SELECT
    left(household.region, 2) AS _k1,
    household.income AS _v1
  FROM household
  LEFT JOIN _beneath_1 ON _beneath_1._of = household._row
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  WHERE _beneath_1._of IS NULL
    AND household.income::DOUBLE / nullif(coalesce(_beneath_2._count, 0)::DOUBLE, 0) < 68000e0
)
SELECT
  _k1 AS "region.next",
  count(*) AS n,
  coalesce(sum(_v1), 0)::DOUBLE / nullif(count(*)::DOUBLE, 0) AS rest
FROM _rows
GROUP BY _k1
ORDER BY 2 DESC NULLS LAST, _k1 NULLS LAST
LIMIT 5
OFFSET 2

-- from person where any(aid where kind = dibao_urban and running) by band(age(birth_date), 0, 18, 60) measure n = count(), ill = count(where severe_illness)
WITH _beneath_1 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.kind = 'dibao_urban'
    AND aid.start <= DATE '2026-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31')
  GROUP BY aid._parent
),
_rows AS (
  SELECT
    CASE WHEN person.birth_date IS NULL THEN NULL WHEN person.birth_date > DATE '2026-10-31' THEN '(,0)' WHEN person.birth_date > DATE '2008-10-31' THEN '[0,18)' WHEN person.birth_date > DATE '1966-10-31' THEN '[18,60)' ELSE '[60,)' END AS _k1,
    person.severe_illness AS _v1
  FROM person
  LEFT JOIN _beneath_1 ON _beneath_1._of = person._row
  WHERE _beneath_1._of IS NOT NULL
)
SELECT
  _k1 AS "band(age(birth_date), 0, 18, 60)",
  count(*) AS n,
  count(*) FILTER (WHERE _v1) AS ill
FROM _rows
GROUP BY _k1
ORDER BY list_position(['(,0)', '[0,18)', '[18,60)', '[60,)'], _k1) NULLS LAST

-- from household where sum(observation.value where indicator = medical_self_paid and month > as_of - 12 months) > 0.5 * sum(person.monthly_income) * 12 and all(person where age(birth_date) >= 60)
WITH _beneath_1 AS (
  SELECT person._parent AS _of
  FROM person
  WHERE (person.birth_date <= DATE '1966-10-31') IS NOT TRUE
  GROUP BY person._parent
),
_beneath_2 AS (
  SELECT person._parent AS _of, sum(observation.value)::BIGINT AS _sum
  FROM observation
  JOIN person ON person._row = observation._parent
  WHERE observation.indicator = 'medical_self_paid'
    AND observation.month >= DATE '2025-11-01'
  GROUP BY person._parent
),
_beneath_3 AS (
  SELECT person._parent AS _of, sum(person.monthly_income)::BIGINT AS _sum
  FROM person
  GROUP BY person._parent
),
_rows AS (
  SELECT
    1 AS _one
  FROM household
  LEFT JOIN _beneath_1 ON _beneath_1._of = household._row
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_3 ON _beneath_3._of = household._row
  WHERE _beneath_1._of IS NULL
    AND coalesce(_beneath_2._sum, 0) * 10 > 5 * coalesce(_beneath_3._sum, 0) * 12
)
SELECT
  count(*) AS count
FROM _rows

-- from person by region.county measure n = count(), part = share(count()), ill = per(1000, count(where severe_illness), count()) having n > 100 and ill is known
WITH _rows AS (
  SELECT
    CASE WHEN household._level >= 2 THEN left(household.region, 6) END AS _k1,
    person.severe_illness AS _v1
  FROM person
  JOIN household ON household._row = person._parent
)
SELECT
  _k1 AS "region.county",
  count(*) AS n,
  count(*)::DOUBLE / nullif((SELECT count(*) FROM _rows)::DOUBLE, 0) AS part,
  (1000 * count(*) FILTER (WHERE _v1))::DOUBLE / nullif(count(*)::DOUBLE, 0) AS ill
FROM _rows
GROUP BY _k1
HAVING count(*) > 100 AND (1000 * count(*) FILTER (WHERE _v1))::DOUBLE / nullif(count(*)::DOUBLE, 0) IS NOT NULL
ORDER BY _k1 NULLS LAST

-- from person by sex measure half = median(monthly_income), most = quantile(monthly_income, 0.9 where employed), apart = stddev(age(birth_date))
WITH _rows AS (
  SELECT
    person.sex AS _k1,
    person.monthly_income AS _v1,
    person.employed AS _v2,
    2026 - year(person.birth_date) - CASE WHEN month(person.birth_date) * 100 + day(person.birth_date) > 1031 THEN 1 ELSE 0 END AS _v3
  FROM person
)
SELECT
  _k1 AS sex,
  quantile_cont(_v1, 0.5) AS half,
  quantile_cont(_v1, 0.9) FILTER (WHERE _v2) AS most,
  stddev_samp(_v3) AS apart
FROM _rows
GROUP BY _k1
ORDER BY list_position(['unknown_sex', 'male', 'female', 'unstated_sex'], _k1) NULLS LAST

-- from household measure g = gini(per_capita(income)), l = lorenz(income, 10), h = histogram(income, 0, 10000, 5), p = poverty_gap(per_capita(income), 680)
WITH _beneath_1 AS (
  SELECT person._parent AS _of, count(*) AS _count
  FROM person
  GROUP BY person._parent
),
_rows AS (
  SELECT
    household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0) AS _v1,
    household.income AS _v2,
    CASE WHEN household.income BETWEEN 0 AND 1000000 THEN least((((household.income - 0)::HUGEINT * 5) // (1000000))::BIGINT, 4) END AS _v3,
    CASE WHEN household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0) < 68000e0 THEN (68000e0 - household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0)) / nullif(68000e0 + (household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0) - household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0)), 0) ELSE 0e0 END AS _v4,
    household.income::DOUBLE / nullif(coalesce(_beneath_1._count, 0)::DOUBLE, 0) IS NOT NULL AND TRUE AS _v5
  FROM household
  LEFT JOIN _beneath_1 ON _beneath_1._of = household._row
)
SELECT
  list_transform([list(_v1 ORDER BY _v1) FILTER (WHERE _v1 IS NOT NULL)], lambda s: CASE WHEN s[1] >= 0 AND list_sum(s) > 0 THEN coalesce(list_sum(list_transform(range(1, len(s) // 2 + 1), lambda i: (len(s) + 1 - 2 * i) * (s[len(s) + 1 - i] - s[i])))::DOUBLE, 0) / (len(s)::DOUBLE * list_sum(s)::DOUBLE) END)[1] AS g,
  list_transform([list(_v2::HUGEINT ORDER BY _v2::HUGEINT) FILTER (WHERE _v2 IS NOT NULL)], lambda s: CASE WHEN s[1] >= 0 AND list_sum(s) > 0 THEN list_transform(range(0, 10 + 1), lambda p: (coalesce(list_sum(s[1:p * len(s) // 10])::DOUBLE, 0) + coalesce(s[p * len(s) // 10 + 1]::DOUBLE, 0) * ((p * len(s)) % 10)::DOUBLE / 10) / list_sum(s)::DOUBLE) END)[1] AS l,
  list_transform([histogram(_v3)], lambda c: list_transform(range(0, 5), lambda b: coalesce(c[b], 0)::BIGINT))[1] AS h,
  favg(_v4) FILTER (WHERE _v5) AS p
FROM _rows

-- from household by region.city, region.county measure n = count() top 3 within region.city by -n
WITH _rows AS (
  SELECT
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    CASE WHEN household._level >= 2 THEN left(household.region, 6) END AS _k2
  FROM household
),
_groups AS (
  SELECT
    _k1,
    _k2,
    count(*) AS _m1
  FROM _rows
  GROUP BY _k1, _k2
),
_best AS (
  SELECT *
  FROM _groups
  QUALIFY row_number() OVER (PARTITION BY _k1 ORDER BY _m1 DESC NULLS LAST, _k1 NULLS LAST, _k2 NULLS LAST) <= 3
)
SELECT
  _k1 AS "region.city",
  _k2 AS "region.county",
  _m1 AS n
FROM _best
ORDER BY _k1 NULLS LAST, _k2 NULLS LAST

-- from household by region.city, region.county totals order -count limit 20
WITH _rows AS (
  SELECT
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    CASE WHEN household._level >= 2 THEN left(household.region, 6) END AS _k2
  FROM household
),
_groups AS (
  SELECT
    _k1,
    _k2,
    count(*) AS _m1,
    grouping(_k1) AS _t1,
    grouping(_k2) AS _t2
  FROM _rows
  GROUP BY ROLLUP (_k1, _k2)
)
SELECT
  _k1 AS "region.city",
  _k2 AS "region.county",
  _m1 AS count
FROM _groups
QUALIFY (_t1 + _t2) > 0 OR row_number() OVER (PARTITION BY (_t1 + _t2) ORDER BY _m1 DESC NULLS LAST, _t1, _k1 NULLS LAST, _t2, _k2 NULLS LAST) BETWEEN 1 AND 20
ORDER BY (_t1 + _t2), _m1 DESC NULLS LAST, _t1, _k1 NULLS LAST, _t2, _k2 NULLS LAST

-- from household where any(person where any(aid where running)) by region.city measure n = count(), came = inflow(), went = outflow() over month 2026-09 to 2026-10
WITH _beneath_1 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.start <= DATE '2026-09-30'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-09-30')
  GROUP BY aid._parent
),
_beneath_2 AS (
  SELECT person._parent AS _of
  FROM person
  LEFT JOIN _beneath_1 ON _beneath_1._of = person._row
  WHERE _beneath_1._of IS NOT NULL
  GROUP BY person._parent
),
_beneath_3 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.start <= DATE '2026-08-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-08-31')
  GROUP BY aid._parent
),
_beneath_4 AS (
  SELECT person._parent AS _of
  FROM person
  LEFT JOIN _beneath_3 ON _beneath_3._of = person._row
  WHERE _beneath_3._of IS NOT NULL
  GROUP BY person._parent
),
_beneath_5 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.start <= DATE '2026-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31')
  GROUP BY aid._parent
),
_beneath_6 AS (
  SELECT person._parent AS _of
  FROM person
  LEFT JOIN _beneath_5 ON _beneath_5._of = person._row
  WHERE _beneath_5._of IS NOT NULL
  GROUP BY person._parent
),
_rows_1 AS (
  SELECT
    0 AS _at,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    _beneath_4._of IS NULL AS _v1,
    FALSE AS _v2
  FROM household
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_4 ON _beneath_4._of = household._row
  WHERE _beneath_2._of IS NOT NULL
  UNION ALL
  SELECT
    1 AS _at,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    _beneath_2._of IS NULL AS _v1,
    NULL AS _v2
  FROM household
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_4 ON _beneath_4._of = household._row
  WHERE _beneath_4._of IS NOT NULL
),
_rows_2 AS (
  SELECT
    0 AS _at,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    _beneath_2._of IS NULL AS _v1,
    FALSE AS _v2
  FROM household
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_6 ON _beneath_6._of = household._row
  WHERE _beneath_6._of IS NOT NULL
  UNION ALL
  SELECT
    1 AS _at,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _k1,
    _beneath_6._of IS NULL AS _v1,
    NULL AS _v2
  FROM household
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_6 ON _beneath_6._of = household._row
  WHERE _beneath_2._of IS NOT NULL
),
_groups AS (
  SELECT
    DATE '2026-09-01' AS _k1,
    _k1 AS _k2,
    count(*) FILTER (WHERE _at = 0) AS _m1,
    count(*) FILTER (WHERE _at = 0 AND _v1) AS _m2,
    count(*) FILTER (WHERE _at = 1 AND _v1) AS _m3
  FROM _rows_1
  GROUP BY _k1
  UNION ALL
  SELECT
    DATE '2026-10-01' AS _k1,
    _k1 AS _k2,
    count(*) FILTER (WHERE _at = 0) AS _m1,
    count(*) FILTER (WHERE _at = 0 AND _v1) AS _m2,
    count(*) FILTER (WHERE _at = 1 AND _v1) AS _m3
  FROM _rows_2
  GROUP BY _k1
)
SELECT
  strftime(_k1, '%Y-%m') AS month,
  _k2 AS "region.city",
  _m1 AS n,
  _m2 AS came,
  _m3 AS went
FROM _groups
ORDER BY _k1 NULLS LAST, _k2 NULLS LAST

-- from aid where running by kind measure paid = sum(amount) compare month, year
WITH _rows AS (
  SELECT
    0 AS _at,
    aid.kind AS _k1,
    aid.amount AS _v1
  FROM aid
  WHERE aid.start <= DATE '2026-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31')
  UNION ALL
  SELECT
    1 AS _at,
    aid.kind AS _k1,
    aid.amount AS _v1
  FROM aid
  WHERE aid.start <= DATE '2026-09-30'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-09-30')
  UNION ALL
  SELECT
    2 AS _at,
    aid.kind AS _k1,
    aid.amount AS _v1
  FROM aid
  WHERE aid.start <= DATE '2025-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2025-10-31')
)
SELECT
  _k1 AS kind,
  coalesce(sum(_v1) FILTER (WHERE _at = 0), 0)::BIGINT AS paid,
  coalesce(sum(_v1) FILTER (WHERE _at = 1), 0)::BIGINT AS "paid.month_before",
  coalesce(sum(_v1) FILTER (WHERE _at = 0), 0)::BIGINT - coalesce(sum(_v1) FILTER (WHERE _at = 1), 0)::BIGINT AS "paid.month_change",
  (coalesce(sum(_v1) FILTER (WHERE _at = 0), 0)::BIGINT - coalesce(sum(_v1) FILTER (WHERE _at = 1), 0)::BIGINT)::DOUBLE * 100 / nullif(coalesce(sum(_v1) FILTER (WHERE _at = 1), 0)::BIGINT::DOUBLE, 0) AS "paid.month_percent",
  coalesce(sum(_v1) FILTER (WHERE _at = 2), 0)::BIGINT AS "paid.year_before",
  coalesce(sum(_v1) FILTER (WHERE _at = 0), 0)::BIGINT - coalesce(sum(_v1) FILTER (WHERE _at = 2), 0)::BIGINT AS "paid.year_change",
  (coalesce(sum(_v1) FILTER (WHERE _at = 0), 0)::BIGINT - coalesce(sum(_v1) FILTER (WHERE _at = 2), 0)::BIGINT)::DOUBLE * 100 / nullif(coalesce(sum(_v1) FILTER (WHERE _at = 2), 0)::BIGINT::DOUBLE, 0) AS "paid.year_percent"
FROM _rows
GROUP BY _k1
ORDER BY list_position(['dibao_urban', 'dibao_rural', 'tekun_urban', 'tekun_rural', 'dibao_edge', 'rigid', 'temporary', 'disability_living', 'disability_care', 'orphan_allowance'], _k1) NULLS LAST

-- from household where any(person where any(aid where running)) by region.city flow 2025-10-31 to 2026-10-31
WITH _beneath_1 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.start <= DATE '2025-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2025-10-31')
  GROUP BY aid._parent
),
_beneath_2 AS (
  SELECT person._parent AS _of
  FROM person
  LEFT JOIN _beneath_1 ON _beneath_1._of = person._row
  WHERE _beneath_1._of IS NOT NULL
  GROUP BY person._parent
),
_beneath_3 AS (
  SELECT aid._parent AS _of
  FROM aid
  WHERE aid.start <= DATE '2026-10-31'
    AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31')
  GROUP BY aid._parent
),
_beneath_4 AS (
  SELECT person._parent AS _of
  FROM person
  LEFT JOIN _beneath_3 ON _beneath_3._of = person._row
  WHERE _beneath_3._of IS NOT NULL
  GROUP BY person._parent
),
_rows AS (
  SELECT
    _beneath_2._of IS NOT NULL AS _before,
    _beneath_4._of IS NOT NULL AS _after,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _b1,
    CASE WHEN household._level >= 1 THEN left(household.region, 4) END AS _a1
  FROM household
  LEFT JOIN _beneath_2 ON _beneath_2._of = household._row
  LEFT JOIN _beneath_4 ON _beneath_4._of = household._row
),
_moves AS (
  SELECT
    CASE WHEN NOT _before THEN 0 WHEN NOT _after THEN 1 WHEN _b1 IS NOT DISTINCT FROM _a1 THEN 2 ELSE 3 END AS _fate,
    CASE WHEN _before THEN _b1 END AS _b1,
    CASE WHEN _after THEN _a1 END AS _a1
  FROM _rows
  WHERE _before OR _after
)
SELECT
  ['entered', 'left', 'stayed', 'moved'][_fate + 1] AS move,
  _b1 AS "region.city.before",
  _a1 AS "region.city.after",
  count(*) AS n
FROM _moves
GROUP BY _fate, _b1, _a1
ORDER BY _fate, _b1 NULLS LAST, _a1 NULLS LAST

-- from aid where running flow 2025-10-31 to 2026-10-31
WITH _rows AS (
  SELECT
    (aid.start <= DATE '2025-10-31' AND (aid."end" IS NULL OR aid."end" >= DATE '2025-10-31')) IS TRUE AS _before,
    (aid.start <= DATE '2026-10-31' AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31')) IS TRUE AS _after
  FROM aid
),
_moves AS (
  SELECT 0 AS _fate, 'entered' AS _move, count(*) FILTER (WHERE NOT _before AND _after) AS _n
  FROM _rows
  UNION ALL
  SELECT 1 AS _fate, 'left' AS _move, count(*) FILTER (WHERE _before AND NOT _after) AS _n
  FROM _rows
  UNION ALL
  SELECT 2 AS _fate, 'stayed' AS _move, count(*) FILTER (WHERE _before AND _after) AS _n
  FROM _rows
)
SELECT
  _move AS move,
  _n AS n
FROM _moves
ORDER BY _fate

-- from person matrix severe_illness, disability_grade is known, not employed
WITH _rows AS (
  SELECT
    person.severe_illness AS _c1,
    person.disability_grade IS NOT NULL AS _c2,
    NOT person.employed AS _c3
  FROM person
),
_matrix AS (
  SELECT
    0 AS _place,
    'severe_illness' AS _name,
    count(*) FILTER (WHERE _c1 AND _c1) AS _n1,
    count(*) FILTER (WHERE _c1 AND _c2) AS _n2,
    count(*) FILTER (WHERE _c1 AND _c3) AS _n3
  FROM _rows
  UNION ALL
  SELECT
    1 AS _place,
    'disability_grade is known' AS _name,
    count(*) FILTER (WHERE _c2 AND _c1) AS _n1,
    count(*) FILTER (WHERE _c2 AND _c2) AS _n2,
    count(*) FILTER (WHERE _c2 AND _c3) AS _n3
  FROM _rows
  UNION ALL
  SELECT
    2 AS _place,
    'not employed' AS _name,
    count(*) FILTER (WHERE _c3 AND _c1) AS _n1,
    count(*) FILTER (WHERE _c3 AND _c2) AS _n2,
    count(*) FILTER (WHERE _c3 AND _c3) AS _n3
  FROM _rows
)
SELECT
  _name AS condition,
  _n1 AS severe_illness,
  _n2 AS "disability_grade is known",
  _n3 AS "not employed"
FROM _matrix
ORDER BY _place

-- from person where severe_illness select person_id, age(birth_date), household.region, tags, share = monthly_income / 3 order -age(birth_date) limit 20
SELECT
  person.person_id AS person_id,
  2026 - year(person.birth_date) - CASE WHEN month(person.birth_date) * 100 + day(person.birth_date) > 1031 THEN 1 ELSE 0 END AS "age(birth_date)",
  left(household.region, [2, 4, 6, 9, 12][household._level + 1]) AS "household.region",
  person.tags AS tags,
  person.monthly_income::DOUBLE / 3e0 AS share
FROM person
JOIN household ON household._row = person._parent
WHERE person.severe_illness
ORDER BY 2026 - year(person.birth_date) - CASE WHEN month(person.birth_date) * 100 + day(person.birth_date) > 1031 THEN 1 ELSE 0 END DESC NULLS LAST, household.region, household.household_id, person._row
LIMIT 20

-- from aid by month(start), coalesce(kind, dibao_urban) measure first = min(start), later = max(if(running, end, 2026-10-31)), n = count(where person.name = 'O''Neil' or 1 = 2)
WITH _rows AS (
  SELECT
    month(aid.start) AS _k1,
    coalesce(aid.kind, 'dibao_urban') AS _k2,
    aid.start AS _v1,
    CASE WHEN aid.start <= DATE '2026-10-31' AND (aid."end" IS NULL OR aid."end" >= DATE '2026-10-31') THEN aid."end" ELSE DATE '2026-10-31' END AS _v2,
    person.name = 'O''Neil' OR FALSE AS _v3
  FROM aid
  JOIN person ON person._row = aid._parent
)
SELECT
  _k1 AS "month(start)",
  _k2 AS "coalesce(kind, dibao_urban)",
  min(_v1) AS first,
  max(_v2) AS later,
  count(*) FILTER (WHERE _v3) AS n
FROM _rows
GROUP BY _k1, _k2
ORDER BY _k1 NULLS LAST, list_position(['dibao_urban', 'dibao_rural', 'tekun_urban', 'tekun_rural', 'dibao_edge', 'rigid', 'temporary', 'disability_living', 'disability_care', 'orphan_allowance'], _k2) NULLS LAST

