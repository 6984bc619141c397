-- What DuckDB is asked otherwise than the others.

-- question: income per head: counties
select county, q[1], q[2] from (
 select county, quantile_cont(income / members, [0.5, 0.9]) as q from household group by county) g;
-- question: income per head: aided households
select county, q[1], q[2] from (
 select county, quantile_cont(income / members, [0.5, 0.9]) as q from household
 where hid in (select hid from person where {any aids dibao_rural, dibao_urban}) group by county) g;
-- question: income per head: townships of a county
select township, q[1], q[2] from (
 select township, quantile_cont(income / members, [0.5, 0.9]) as q from household
 where county = 140105 group by township) g;

-- question: one person: with the household
select {person_id p.pid}, p.name, p.sex, p.birth_date, p.disability_grade, p.monthly_income, p.aids, p.marks,
 {household_id h.hid}, h.village, h.address, h.members, h.income
from kept.person p join kept.household h on h.hid = p.hid where p.pid = {pid};
-- question: one person: all of a household
select {person_id pid}, name, sex, birth_date, relation, disability_grade, monthly_income, aids, marks
from kept.person where hid = {hid} order by pid;

-- Rows come in the order in which they were put in (preserve_insertion_order).
-- question: deep page: in the order of places
select {person_id pid}, birth_date, monthly_income from person
where {any marks medical_insured} and sex = 2 limit 50 offset 200000;
