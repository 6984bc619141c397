-- What ClickHouse is asked otherwise than the others.

-- question: city by aid: households of four aids
select city, uniqExactIf(hid, {any aids dibao_rural}), uniqExactIf(hid, {any aids dibao_urban}),
 uniqExactIf(hid, {any aids housing_aid}), uniqExactIf(hid, {any aids disability_care})
from person where {any aids dibao_rural, dibao_urban, housing_aid, disability_care} group by city;

-- question: crosstab: province
select {band} as band, sex, nullIf(disability_grade, 0) as grade, count() from person
group by band, sex, disability_grade;
-- question: crosstab: one county
select {band} as band, sex, nullIf(disability_grade, 0) as grade, count() from person where county = 140105
group by band, sex, disability_grade;
-- question: crosstab: living alone
select {band} as band, sex, nullIf(disability_grade, 0) as grade, count() from person
where {any marks living_alone} group by band, sex, disability_grade;

-- question: income per head: counties
select county, q[1], q[2] from (
 select county, quantilesExactInclusive(0.5, 0.9)(income / members) as q from household
 where income is not null group by county) g;
-- question: income per head: aided households
select county, q[1], q[2] from (
 select county, quantilesExactInclusive(0.5, 0.9)(income / members) as q from household
 where income is not null and hid in (select hid from person where {any aids dibao_rural, dibao_urban})
 group by county) g;
-- question: income per head: townships of a county
select township, q[1], q[2] from (
 select township, quantilesExactInclusive(0.5, 0.9)(income / members) as q from household
 where income is not null and county = 140105 group by township) g;

-- question: ten years by month: stock of the disabled
select month, sum(began) over (order by month) from (
 select greatest(year(day) * 12 + month(day) - 1, 24202) as month, sum(n) as began from (
  select disability_since as day, count() as n from person where {disabled} group by disability_since) d
 group by 1) g;
-- question: ten years by month: stock by city
select month, city, sum(began) over (partition by city order by month) from (
 select greatest(year(day) * 12 + month(day) - 1, 24202) as month, city, sum(n) as began from (
  select disability_since as day, city, count() as n from person where {disabled} group by disability_since, city) d
 group by 1, 2) g;

-- question: one person: with the household
select {person_id p.pid}, p.name, p.sex, p.birth_date, nullIf(p.disability_grade, 0), p.monthly_income,
 p.aids, if(p.known, p.marks, null), {household_id h.hid}, h.village, h.address, h.members, h.income
from (select * from person where pid = {pid}) p cross join (
 select * from household where hid = (select hid from person where pid = {pid})) h;
-- question: one person: all of a household
select {person_id pid}, name, sex, birth_date, relation, nullIf(disability_grade, 0), monthly_income, aids,
 if(known, marks, null)
from person where hid = {hid} order by pid;

-- question: deep page: in the order of places
select {person_id pid}, birth_date, monthly_income from person where {any marks medical_insured} and sex = 2
order by city, county, township, village, hid, pid limit 50 offset 200000;
